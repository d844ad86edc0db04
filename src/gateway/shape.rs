//! The shapes of AT&T's errors: OAuth's at the OAuth endpoints, `RequestError` at the others.

use serde_json::{Value, json};
use std::format;
use std::string::ToString;

use super::fault::Endpoint;
use super::page::escape;
use crate::protocol::http::{JSON, Request, Response};

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

/// An error of [`oauth_error`] as XML; any other response as it is. Documented is that `Accept` sets
/// the format `\[D\]`; which formats there are, and how they look, is not: this is how GitHub's OAuth
/// writes it `\[A\]`.
pub fn as_xml(response: Response) -> Response {
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    let text = |name| body.get(name).and_then(Value::as_str);
    let (Some(error), Some(description)) = (text("error"), text("error_description")) else {
        return response;
    };
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OAuth><error>{}</error>\
         <error_description>{}</error_description></OAuth>",
        escape(error),
        escape(description)
    );
    let others = response
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-type");
    let bare = Response {
        headers: others.collect(),
        ..Response::new(response.status)
    };
    bare.body("application/xml", xml)
}

/// Whether a request would rather have XML than JSON: whichever of the two its `Accept` names
/// first. Weights (`;q=`) are not read.
pub fn prefers_xml(request: &Request) -> bool {
    let named = request
        .headers
        .all("accept")
        .flat_map(|line| line.split(','));
    let kinds = named.map(|item| item.split(';').next().unwrap_or_default().trim());
    kinds
        .map(str::to_ascii_lowercase)
        .find_map(|kind| match kind.as_str() {
            "application/xml" | "text/xml" => Some(true),
            "application/json" | "application/*" | "*/*" => Some(false),
            _ => None,
        })
        .unwrap_or(false)
}

/// A `PolicyException`: something about the token or the app.
pub fn policy(status: u16, id: &str, text: &str, variables: Option<&str>) -> Response {
    request_error("PolicyException", status, id, text, variables)
}

/// A `ServiceException`: something about the request or the service.
pub fn service(status: u16, id: &str, text: &str, variables: Option<&str>) -> Response {
    request_error("ServiceException", status, id, text, variables)
}

/// `Variables` is a string, and may be missing `\[S\]`. What stands in it for `%1` and `%2` is parted
/// by a comma `\[A\]`.
fn request_error(
    kind: &str,
    status: u16,
    id: &str,
    text: &str,
    variables: Option<&str>,
) -> Response {
    let mut exception = json!({ "MessageId": id, "Text": text });
    if let (Some(members), Some(variables)) = (exception.as_object_mut(), variables) {
        members.insert("Variables".to_string(), variables.into());
    }
    json(status, &json!({ "RequestError": { kind: exception } }))
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

/// AT&T throttles with 403, not 429 `\[S\]`.
pub fn rate_limited() -> Response {
    policy(403, "POL0001", "Rate Limit Exceeded", None)
}

/// The user hasn't agreed, or not any more `\[D\]`.
pub fn consent_missing() -> Response {
    policy(
        403,
        "POL0002",
        "Privacy Verification Failed: the user's consent is missing",
        None,
    )
}

/// The answer to a preflight, where CORS is switched on `\[A\]`.
pub fn preflight() -> Response {
    Response::new(204)
        .header("access-control-allow-methods", "GET, POST, OPTIONS")
        .header(
            "access-control-allow-headers",
            "authorization, content-type, accept",
        )
        .header("access-control-max-age", "600")
}
