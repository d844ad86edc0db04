//! The revocation endpoint (RFC 7009).

use alloc::string::String;

use super::form::{self, Form};
use super::http::{Request, Response};
use super::token::{Credentials, failure};
use super::{Result, Secret};

/// `token_type_hint`: the gateway wants one \[S\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// Revokes this token; the refresh token stays usable \[S\].
    AccessToken,
    /// Revokes the refresh token and its access token \[S\].
    RefreshToken,
}

impl TokenTypeHint {
    /// The value on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::RefreshToken => "refresh_token",
        }
    }
}

/// A request to AT&T's gateway.
pub fn request(
    endpoint: &str,
    credentials: &Credentials,
    token: &Secret,
    hint: TokenTypeHint,
) -> Request {
    let form = Form::new()
        .set("client_id", &credentials.client_id)
        .set("client_secret", credentials.client_secret.expose())
        .set("token", token.expose())
        .set("token_type_hint", hint.as_str());
    Request::form(endpoint, form.encode())
}

/// The body of a request of a public client: with its token, or in custody `cookie` with nothing but
/// the cookie (our extension).
pub fn public_request(client_id: &str, token: &str, hint: TokenTypeHint) -> String {
    let mut body = form::of_client(client_id);
    form::append(&mut body, "token", token);
    if !token.is_empty() {
        form::append(&mut body, "token_type_hint", hint.as_str());
    }
    body
}

/// Reads a reply: 200 is success, its body ignored \[S\]; a token that the server doesn't know counts
/// as revoked (RFC 7009, 2.2).
///
/// # Errors
/// As [`failure`] says.
pub fn response(response: &Response) -> Result<()> {
    if response.status == 200 {
        Ok(())
    } else {
        Err(failure(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    #[test]
    fn the_gateway_gets_a_hint() {
        let credentials = Credentials {
            client_id: "key".into(),
            client_secret: Secret::new("s3cret"),
        };
        let sent = request(
            "https://api.att.com/oauth/v4/revoke",
            &credentials,
            &Secret::new("t"),
            TokenTypeHint::RefreshToken,
        );
        assert_eq!(
            sent.body,
            b"client_id=key&client_secret=s3cret&token=t&token_type_hint=refresh_token"
        );
    }

    #[test]
    fn any_200_is_success_whatever_its_body() {
        assert_eq!(
            response(&Response::new(200).body("text/html", "<p>")),
            Ok(())
        );
        assert_eq!(
            response(&Response::new(503)).unwrap_err().code,
            ErrorCode::TemporarilyUnavailable
        );
    }
}
