//! All of wasm-bindgen, and the host that performs what Rust decides. One artefact per feature.

#[cfg(feature = "client")]
mod client;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(any(feature = "relay", feature = "gateway"))]
mod http;
#[cfg(feature = "relay")]
mod relay;
#[cfg(feature = "client")]
mod runtime;
