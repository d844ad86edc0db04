//! The one place where an error becomes JavaScript's.

use super::client::put;
use crate::protocol::{Error, text};

/// Hands over what `failure` in host.js makes an `AttOAuthError` of.
pub(super) fn put_error(error: &Error) {
    put(Some(error.code.as_str()));
    put(Some(&error.message));
    put(error.error.as_deref());
    put(error.error_description.as_deref());
    put(error.status.map(|n| text::decimal(n.into())).as_deref());
    put(error.code.is_retryable().then_some(""));
}
