//! The value of a report, for programs.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

/// A value that serialises, kept as it is until a form of output asks for its JSON.
///
/// Most reports are only looked at as tables, and the JSON of a list of thousands of connections takes more memory than
/// the packets behind it.
#[derive(Clone)]
pub struct Data(Arc<dyn Fn() -> serde_json::Result<Value> + Send + Sync>);

impl Data {
    /// Keeps a copy of `value`.
    #[must_use]
    pub fn of<T>(value: &T) -> Self
    where
        T: Serialize + ToOwned + ?Sized,
        T::Owned: std::borrow::Borrow<T> + Send + Sync + 'static,
    {
        use std::borrow::Borrow;
        let kept = value.to_owned();
        Data(Arc::new(move || serde_json::to_value(Borrow::<T>::borrow(&kept))))
    }

    /// Keeps `value` itself.
    #[must_use]
    pub fn owning<T: Serialize + Send + Sync + 'static>(value: T) -> Self {
        Data(Arc::new(move || serde_json::to_value(&value)))
    }

    /// The value that `make` makes.
    #[must_use]
    pub(super) fn made(make: impl Fn() -> serde_json::Result<Value> + Send + Sync + 'static) -> Self {
        Data(Arc::new(make))
    }

    /// The value as JSON.
    ///
    /// # Errors
    /// When it cannot be expressed in JSON (a map with keys that are not strings).
    pub fn value(&self) -> serde_json::Result<Value> {
        (self.0)()
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Data").field(&self.value()).finish()
    }
}

impl PartialEq for Data {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.value(), other.value()), (Ok(one), Ok(other)) if one == other)
    }
}
