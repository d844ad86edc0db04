//! The exchanges, pure: what goes out as a `request`, what came back as a checked `response`.
//!
//! Facts about AT&T's side are marked by their standing: `\[D\]` documented by AT&T, `\[S\]` seen in
//! its own SDKs, `\[A\]` assumed from the RFC.

pub mod authorization;
pub mod base64url;
mod error;
pub mod form;
pub mod http;
pub mod json;
pub mod members;
pub mod pkce;
pub mod revocation;
pub mod scope;
mod secret;
pub(crate) mod sha256;
pub(crate) mod text;
pub mod token;

pub use error::{Details, Error, ErrorCode, Reason, Result};
pub use secret::Secret;
