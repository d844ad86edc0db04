//! Authorization server metadata (RFC 8414), true in every word.

use std::format;
use std::string::ToString;

use serde_json::json;

use super::reply::{Caller, Log};
use super::{Config, Step};
use crate::protocol::http::{JSON, Response};

/// Stands between host and path of the issuer (RFC 8414, 3.1).
pub const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

pub fn respond(config: &Config, caller: &Caller<'_>) -> Step {
    let issuer = config.issuer();
    let scopes: std::vec::Vec<&str> = config.scope.iter().collect();
    let mut grants = std::vec!["authorization_code", "refresh_token"];
    if !config.app_scopes.is_empty() {
        grants.push("client_credentials");
    }
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    caller.respond(
        Response::new(200).body(JSON, metadata.to_string()),
        Log::ok("metadata"),
    )
}
