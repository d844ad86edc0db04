//! The shapes of AT&T's errors: OAuth's at the OAuth endpoints, `RequestError` at the others.

use serde_json::json;
use std::string::ToString;

use super::fault::Endpoint;
use crate::protocol::http::{JSON, Response};

/// A response that no cache may keep (RFC 6749, 5.1).
pub fn no_store(status: u16) -> Response {
    Response::new(status)
        .header("cache-control", "no-store")
        .header("pragma", "no-cache")
        .header("x-content-type-options", "nosniff")
}

/// A JSON reply.
pub fn json(status: u16, value: &serde_json::Value) -> Response {
    no_store(status).body(JSON, value.to_string())
}

/// RFC 6749, 5.2.
pub fn oauth_error(status: u16, error: &str, description: &str) -> Response {
    json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

/// A `PolicyException`: something about the token or the app.
pub fn policy(status: u16, id: &str, text: &str) -> Response {
    let exception = json!({ "MessageId": id, "Text": text });
    json(
        status,
        &json!({ "RequestError": { "PolicyException": exception } }),
    )
}

/// A `ServiceException`: something about the request or the service.
pub fn service(status: u16, id: &str, text: &str, variables: Option<&str>) -> Response {
    let mut exception = json!({ "MessageId": id, "Text": text });
    if let (Some(members), Some(variables)) = (exception.as_object_mut(), variables) {
        members.insert("Variables".to_string(), variables.into());
    }
    json(
        status,
        &json!({ "RequestError": { "ServiceException": exception } }),
    )
}

/// An error of HTTP itself, in the shape of the endpoint.
pub fn error(endpoint: Endpoint, status: u16, text: &str) -> Response {
    let error = match status {
        500 => "server_error",
        503 => "temporarily_unavailable",
        _ => "invalid_request",
    };
    match endpoint {
        Endpoint::Authorize | Endpoint::Token | Endpoint::Revoke => {
            oauth_error(status, error, text)
        }
        Endpoint::Api | Endpoint::Other => service(status, "SVC0001", text, None),
    }
}

/// 405 with the methods that there are (RFC 9110, 15.5.6).
pub fn method_not_allowed(endpoint: Endpoint, allow: &str) -> Response {
    error(endpoint, 405, "The method is not allowed").header("allow", allow)
}

/// AT&T throttles with 403, not 429 `[S]`.
pub fn rate_limited() -> Response {
    policy(403, "POL0001", "Rate Limit Exceeded")
}

/// The user hasn't agreed, or not any more `[D]`.
pub fn consent_missing() -> Response {
    policy(
        403,
        "POL0002",
        "Privacy Verification Failed: the user's consent is missing",
    )
}

/// The answer to a preflight, where CORS is switched on `[A]`.
pub fn preflight() -> Response {
    Response::new(204)
        .header("access-control-allow-methods", "GET, POST, OPTIONS")
        .header(
            "access-control-allow-headers",
            "authorization, content-type, accept",
        )
        .header("access-control-max-age", "600")
}
