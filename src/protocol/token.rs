//! The token endpoint (RFC 6749, 4.1.3, 4.4, 6 and 5): AT&T's own, and the relay's in front of it.

use alloc::string::String;

use super::form::{self, Form};
use super::http::{Request, Response};
use super::members::{
    self, ACCESS_TOKEN, API_HANDLE, ERROR, ERROR_DESCRIPTION, EXPIRES_IN, GENERATION, Members,
    REFRESH_TOKEN, SCOPE, SESSION, TOKEN_TYPE,
};
use super::scope::{self, Scope};
use super::{Error, Reason, Result, Secret, text};

/// What AT&T takes for granted when `expires_in` is missing \[A\]: two days, its documented default \[D\].
pub const DEFAULT_EXPIRES_IN: u32 = 172_800;
/// How long a refresh token lives \[D\], in seconds: 90 days. Never in a reply.
pub const REFRESH_TOKEN_LIFETIME: u32 = 7_776_000;

/// The only `token_type` that is taken, in any case.
const BEARER: &str = "bearer";

/// Who asks AT&T's gateway: the confidential client.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The App Key.
    pub client_id: String,
    /// The App Secret.
    pub client_secret: Secret,
}

/// What is shown to the gateway for a token.
#[derive(Debug)]
pub enum Grant {
    /// A code, once. AT&T takes no `redirect_uri` and no `scope` with it \[D\].
    AuthorizationCode(Secret),
    /// A refresh token; the gateway gives a new one and the old pair dies \[D\].
    RefreshToken(Secret),
    /// The app itself; the only grant that sends `scope` \[D\].
    ClientCredentials(Scope),
}

/// What is shown to the relay (or another backend that adds the secret) for a token. What is empty isn't sent.
#[derive(Clone, Copy, Debug)]
pub enum PublicGrant<'a> {
    /// A code with the verifier that its challenge was made from.
    AuthorizationCode {
        /// The checked code.
        code: &'a str,
        /// The verifier (RFC 7636, 4.5).
        code_verifier: &'a str,
        /// The same as in the authorization request (RFC 6749, 4.1.3).
        redirect_uri: &'a str,
    },
    /// A valid access token, please.
    RefreshToken {
        /// The handle, in custody `handle`; in custody `cookie` there is none to send.
        refresh_token: &'a str,
        /// Our extension: the generation whose token was refused with 401, or that the app wants renewed.
        rejected_generation: &'a str,
        /// Our extension: how many seconds the token must still last.
        min_validity: &'a str,
    },
}

/// How long an access token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// So many seconds from the reply on.
    Seconds(u32),
    /// For ever: AT&T's `expires_in` of 0 \[S\].
    Never,
}

/// A reply of the token endpoint, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Opaque; may hold `~` \[S\].
    pub access_token: Secret,
    /// From `expires_in`.
    pub lifetime: Lifetime,
    /// Comes with every grant of the gateway \[D\]; from the relay in custody `handle` alone.
    pub refresh_token: Option<Secret>,
    /// What names the session for the relay's `/api` in custody `handle`: our extension.
    pub api_handle: Option<Secret>,
    /// The gateway doesn't say it \[S\]; the relay does.
    pub scope: Option<Scope>,
    /// The relay's public label of the session: our extension.
    pub session: Option<String>,
    /// The relay's count of this session's tokens: our extension.
    pub generation: Option<u32>,
}

/// A request to AT&T's gateway: credentials in the body, never Basic \[D\].
pub fn request(endpoint: &str, credentials: &Credentials, grant: Grant) -> Request {
    let form = Form::new()
        .set("client_id", &credentials.client_id)
        .set("client_secret", credentials.client_secret.expose());
    let form = match grant {
        Grant::AuthorizationCode(code) => form
            .set("grant_type", "authorization_code")
            .set("code", code.expose()),
        Grant::RefreshToken(token) => form
            .set("grant_type", "refresh_token")
            .set("refresh_token", token.expose()),
        Grant::ClientCredentials(scope) => form
            .set("grant_type", "client_credentials")
            .set("scope", &scope.to_commas()),
    };
    Request::form(endpoint, form.encode())
}

/// The body of a request of a public client: it has no secret to show.
#[inline(always)]
pub fn public_request(client_id: &str, grant: PublicGrant<'_>) -> String {
    let mut body = form::of_client(client_id);
    match grant {
        PublicGrant::AuthorizationCode {
            code,
            code_verifier,
            redirect_uri,
        } => {
            form::append(&mut body, "grant_type", "authorization_code");
            form::append(&mut body, "code", code);
            form::append(&mut body, "code_verifier", code_verifier);
            form::append(&mut body, "redirect_uri", redirect_uri);
        }
        PublicGrant::RefreshToken {
            refresh_token,
            rejected_generation,
            min_validity,
        } => {
            form::append(&mut body, "grant_type", "refresh_token");
            form::append(&mut body, "refresh_token", refresh_token);
            form::append(&mut body, "rejected_generation", rejected_generation);
            form::append(&mut body, "min_validity", min_validity);
        }
    }
    body
}

/// Reads a reply. Members that nobody knows are ignored.
///
/// # Errors
/// See [`failure`] for what the server refused; [`ErrorCode::InvalidResponse`](super::ErrorCode::InvalidResponse) for a success that
/// can't be read: no JSON object, no `access_token`, another `token_type` than `bearer` in any case,
/// a wrong type in a member that is known.
pub fn response(response: &Response) -> Result<Tokens> {
    let texts = members::of_json(&response.body).unwrap_or_default();
    let members = Members::new(&texts);
    let lifetime = success(response.status, members)?;
    let some = |index| Some(members.or_empty(index)).filter(|text| !text.is_empty());
    Ok(Tokens {
        access_token: Secret::new(members.or_empty(ACCESS_TOKEN)),
        lifetime,
        refresh_token: some(REFRESH_TOKEN).map(Secret::new),
        api_handle: some(API_HANDLE).map(Secret::new),
        scope: some(SCOPE).map(Scope::parse).transpose()?,
        session: some(SESSION).map(String::from),
        generation: whole_seconds(members.number(GENERATION)),
    })
}

/// What a reply that is no success means: a verdict on the session, a passing failure, or a refusal.
///
/// Understands OAuth's errors (RFC 6749, 5.2) and the `RequestError` of AT&T's other servers, which
/// also says "Rate Limit Exceeded" with 403 \[S\].
pub fn failure(response: &Response) -> Error {
    let texts = members::of_json(&response.body).unwrap_or_default();
    refusal(response.status, Members::new(&texts))
}

/// Judges a reply of the token endpoint; how long the token lives.
pub(crate) fn success(status: u16, members: Members<'_>) -> Result<Lifetime> {
    if status == 200 {
        lifetime(members).ok_or_else(|| Error::answered(Reason::NoToken, Some(status), "", ""))
    } else {
        Err(refusal(status, members))
    }
}

/// [`failure`], of a reply's members.
pub(crate) fn refusal(status: u16, members: Members<'_>) -> Error {
    let error = members.or_empty(ERROR);
    let description = members.or_empty(ERROR_DESCRIPTION);
    let limited = status == 429
        || text::contains_ignoring_case(description, "rate limit exceeded") && status == 403;
    let reason = if error == "invalid_grant" && (400..500).contains(&status) && !limited {
        Reason::SessionEnded
    } else if error == "session_mismatch" {
        Reason::Displaced
    } else if error == "custody_mismatch" {
        Reason::OtherSite
    } else if limited || status >= 500 {
        Reason::Unavailable
    } else if error.is_empty() && status < 400 {
        // A redirect is not followed (S24), and a 2xx without OAuth's error isn't OAuth's.
        Reason::OddStatus
    } else {
        Reason::Refused
    };
    Error::answered(reason, Some(status), error, description)
}

/// Judges what grants a token, in a reply or in a fragment (RFC 6749, 4.2.2); how long it lives.
pub(crate) fn lifetime(members: Members<'_>) -> Option<Lifetime> {
    let token_type = members.string(TOKEN_TYPE)?;
    let has_token = !members.string(ACCESS_TOKEN)?.is_empty();
    let generation = members.number(GENERATION);
    members.string(SESSION)?;
    members.string(API_HANDLE)?;
    members.string(REFRESH_TOKEN)?;
    let is_good = token_type.len() == BEARER.len()
        && text::contains_ignoring_case(token_type, BEARER)
        && has_token
        && scope::is_written_well(members.string(SCOPE)?)
        && (generation.is_empty() || !text::number(generation).is_nan());
    if !is_good {
        return None;
    }
    let seconds = members.number(EXPIRES_IN);
    Some(if seconds.is_empty() {
        Lifetime::Seconds(DEFAULT_EXPIRES_IN)
    } else {
        match whole_seconds(seconds)? {
            0 => Lifetime::Never,
            seconds => Lifetime::Seconds(seconds),
        }
    })
}

/// A number of whole seconds, a fraction dropped. Too many for `u32` are 136 years: as good as all.
/// By hand because the standard library's reading of floats is 10 kB of wasm.
fn whole_seconds(text: &str) -> Option<u32> {
    let part = match text::count(text, b'.') {
        0 => 0.0,
        1 => text::number(text::nth(text, b'.', 1)),
        _ => f64::NAN,
    };
    let seconds = text::number(text::nth(text, b'.', 0));
    if part.is_nan() || seconds.is_nan() {
        return None;
    }
    let seconds = seconds as u32;
    // A lifetime under a second isn't "never".
    Some(if part > 0.0 { seconds.max(1) } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;
    use crate::protocol::http::JSON;

    fn reply(status: u16, body: &str) -> Response {
        Response::new(status).body(JSON, body)
    }

    fn credentials() -> Credentials {
        Credentials {
            client_id: "key".into(),
            client_secret: Secret::new("s3cret"),
        }
    }

    fn body(request: &Request) -> &str {
        core::str::from_utf8(&request.body).unwrap()
    }

    #[test]
    fn the_documented_reply_is_read() {
        let tokens = response(&reply(
            200,
            r#"{"access_token":"xyz123456789","expires_in":172800,"refresh_token":"abc987654321","token_type":"bearer"}"#,
        ))
        .unwrap();
        assert_eq!(tokens.access_token.expose(), "xyz123456789");
        assert_eq!(tokens.refresh_token.unwrap().expose(), "abc987654321");
        assert_eq!(tokens.lifetime, Lifetime::Seconds(172_800));
        assert_eq!(tokens.scope, None);
    }

    #[test]
    fn expires_in_is_read_as_every_gateway_wrote_it() {
        for (member, lifetime) in [
            (r#","expires_in":172799"#, Some(Lifetime::Seconds(172_799))),
            (r#","expires_in":"3600""#, Some(Lifetime::Seconds(3600))),
            (r#","expires_in":0"#, Some(Lifetime::Never)),
            (r#","expires_in":"0""#, Some(Lifetime::Never)),
            (r#","expires_in":0.5"#, Some(Lifetime::Seconds(1))),
            ("", Some(Lifetime::Seconds(DEFAULT_EXPIRES_IN))),
            (
                r#","expires_in":null"#,
                Some(Lifetime::Seconds(DEFAULT_EXPIRES_IN)),
            ),
            (
                r#","expires_in":99999999999"#,
                Some(Lifetime::Seconds(u32::MAX)),
            ),
            (r#","expires_in":-1"#, None),
            (r#","expires_in":"soon""#, None),
            (r#","expires_in":true"#, None),
            (r#","expires_in":1e3"#, None),
        ] {
            let json = std::format!(r#"{{"access_token":"a","token_type":"BEARER"{member}}}"#);
            assert_eq!(
                response(&reply(200, &json)).map(|t| t.lifetime).ok(),
                lifetime,
                "{member}"
            );
        }
    }

    #[test]
    fn s23_a_success_that_cannot_be_read_is_invalid_response() {
        for json in [
            "",
            "<html>",
            "[]",
            r#"{"token_type":"bearer"}"#,
            r#"{"access_token":"","token_type":"bearer"}"#,
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":1,"token_type":"bearer"}"#,
            r#"{"access_token":"a","token_type":"bearer","refresh_token":7}"#,
            r#"{"access_token":"a","token_type":"bearer","scope":{}}"#,
        ] {
            assert_eq!(
                response(&reply(200, json)).unwrap_err().code,
                ErrorCode::InvalidResponse,
                "{json}"
            );
        }
        let extra = r#"{"access_token":"a","token_type":"bearer","odd":[{}],"scope":"DC"}"#;
        assert_eq!(
            response(&reply(200, extra))
                .unwrap()
                .scope
                .unwrap()
                .to_commas(),
            "DC"
        );
    }

    #[test]
    fn both_error_shapes_are_understood() {
        use ErrorCode::*;
        let limited = r#"{"RequestError":{"PolicyException":{"MessageId":"POL0001","Text":"Rate Limit Exceeded"}}}"#;
        let other = r#"{"RequestError":{"ServiceException":{"MessageId":"SVC0002","Text":"Invalid input"}}}"#;
        for (status, json, code) in [
            (
                400,
                r#"{"error":"invalid_grant","error_description":"used"}"#,
                LoginRequired,
            ),
            (401, r#"{"error":"invalid_client"}"#, RequestRefused),
            (400, r#"{"error":"invalid_scope"}"#, RequestRefused),
            // A server that is out of order passes no verdict.
            (500, r#"{"error":"invalid_grant"}"#, TemporarilyUnavailable),
            (429, r#"{"error":"invalid_grant"}"#, TemporarilyUnavailable),
            (302, r#"{"error":"invalid_grant"}"#, RequestRefused),
            (409, r#"{"error":"session_mismatch"}"#, SessionMismatch),
            (403, limited, TemporarilyUnavailable),
            (403, other, RequestRefused),
            (429, "", TemporarilyUnavailable),
            (500, "<html>", TemporarilyUnavailable),
            (
                503,
                r#"{"error":"temporarily_unavailable"}"#,
                TemporarilyUnavailable,
            ),
            (302, "", InvalidResponse),
            (204, "", InvalidResponse),
        ] {
            let error = response(&reply(status, json)).unwrap_err();
            assert_eq!(
                (error.code, error.status),
                (code, Some(status)),
                "{status} {json}"
            );
        }
        assert_eq!(
            response(&reply(403, other))
                .unwrap_err()
                .error_description
                .clone()
                .unwrap(),
            "Invalid input"
        );
    }

    #[test]
    fn s04_credentials_go_in_the_body_and_the_verifier_never_to_the_gateway() {
        let code = || Secret::new("c~1");
        let sent = request(
            "https://api.att.com/oauth/v4/token",
            &credentials(),
            Grant::AuthorizationCode(code()),
        );
        assert_eq!(sent.url, "https://api.att.com/oauth/v4/token");
        assert_eq!(
            body(&sent),
            "client_id=key&client_secret=s3cret&grant_type=authorization_code&code=c~1"
        );
        assert_eq!(sent.headers.get("accept"), Some("application/json"));
        assert_eq!(sent.headers.get("authorization"), None);
        let sent = request("x", &credentials(), Grant::RefreshToken(Secret::new("r")));
        assert_eq!(
            body(&sent),
            "client_id=key&client_secret=s3cret&grant_type=refresh_token&refresh_token=r"
        );
        let sent = request(
            "x",
            &credentials(),
            Grant::ClientCredentials(Scope::parse("SMS,MMS").unwrap()),
        );
        assert_eq!(
            body(&sent),
            "client_id=key&client_secret=s3cret&grant_type=client_credentials&scope=SMS%2CMMS"
        );
    }

    #[test]
    fn a_public_client_shows_its_verifier_and_no_secret() {
        let grant = PublicGrant::AuthorizationCode {
            code: "c",
            code_verifier: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            redirect_uri: "https://app.example/in",
        };
        assert_eq!(
            public_request("key", grant),
            "client_id=key&grant_type=authorization_code&code=c&code_verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&redirect_uri=https%3A%2F%2Fapp.example%2Fin"
        );
        let grant = PublicGrant::RefreshToken {
            refresh_token: "",
            rejected_generation: "3",
            min_validity: "",
        };
        assert_eq!(
            public_request("key", grant),
            "client_id=key&grant_type=refresh_token&rejected_generation=3"
        );
    }
}
