//! The token endpoint (RFC 6749, 4.1.3, 4.4, 6 and 5): AT&T's own, and the relay's in front of it.

use alloc::string::String;

use super::authorization::Code;
use super::form::Form;
use super::http::{Request, Response};
use super::json::{Object, Value};
use super::pkce::CodeVerifier;
use super::scope::Scope;
use super::{Error, ErrorCode, Result, Secret, text};

/// What AT&T takes for granted when `expires_in` is missing [A]: two days, its documented default [D].
pub const DEFAULT_EXPIRES_IN: u32 = 172_800;
/// How long a refresh token lives [D], in seconds: 90 days. Never in a reply.
pub const REFRESH_TOKEN_LIFETIME: u32 = 7_776_000;

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
    /// A code, once. AT&T takes no `redirect_uri` and no `scope` with it [D].
    AuthorizationCode(Code),
    /// A refresh token; the gateway gives a new one and the old pair dies [D].
    RefreshToken(Secret),
    /// The app itself; the only grant that sends `scope` [D].
    ClientCredentials(Scope),
}

/// What is shown to the relay (or another backend that adds the secret) for a token.
#[derive(Debug)]
pub enum PublicGrant<'a> {
    /// A code with the verifier that its challenge was made from.
    AuthorizationCode {
        /// The checked code.
        code: Code,
        /// The verifier (RFC 7636, 4.5).
        code_verifier: &'a CodeVerifier,
        /// The same as in the authorization request (RFC 6749, 4.1.3).
        redirect_uri: &'a str,
    },
    /// A valid access token, please.
    RefreshToken {
        /// The handle, in custody `handle`; in custody `cookie` there is none to send.
        refresh_token: Option<&'a Secret>,
        /// Our extension: the generation whose token was refused with 401, or that the app wants renewed.
        rejected_generation: Option<u32>,
        /// Our extension: how many seconds the token must still last.
        min_validity: Option<u32>,
    },
}

/// How long an access token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// So many seconds from the reply on.
    Seconds(u32),
    /// For ever: AT&T's `expires_in` of 0 [S].
    Never,
}

/// A reply of the token endpoint, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Opaque; may hold `~` [S].
    pub access_token: Secret,
    /// From `expires_in`.
    pub lifetime: Lifetime,
    /// Comes with every grant of the gateway [D]; from the relay in custody `handle` alone.
    pub refresh_token: Option<Secret>,
    /// What names the session for the relay's `/api` in custody `handle`: our extension.
    pub api_handle: Option<Secret>,
    /// The gateway doesn't say it [S]; the relay does.
    pub scope: Option<Scope>,
    /// The relay's public label of the session: our extension.
    pub session: Option<String>,
    /// The relay's count of this session's tokens: our extension.
    pub generation: Option<u32>,
}

/// A request to AT&T's gateway: credentials in the body, never Basic [D].
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

/// A request of a public client: it has no secret to show.
pub fn public_request(endpoint: &str, client_id: &str, grant: PublicGrant<'_>) -> Request {
    let form = Form::new().set("client_id", client_id);
    let form = match grant {
        PublicGrant::AuthorizationCode {
            code,
            code_verifier,
            redirect_uri,
        } => form
            .set("grant_type", "authorization_code")
            .set("code", code.expose())
            .set("code_verifier", code_verifier.expose())
            .set("redirect_uri", redirect_uri),
        PublicGrant::RefreshToken {
            refresh_token,
            rejected_generation,
            min_validity,
        } => form
            .set("grant_type", "refresh_token")
            .set_some("refresh_token", refresh_token.map(Secret::expose))
            .set_some(
                "rejected_generation",
                rejected_generation
                    .map(|n| text::decimal(n.into()))
                    .as_deref(),
            )
            .set_some(
                "min_validity",
                min_validity.map(|n| text::decimal(n.into())).as_deref(),
            ),
    };
    Request::form(endpoint, form.encode())
}

/// Reads a reply. Members that nobody knows are ignored.
///
/// # Errors
/// See [`failure`] for what the server refused; [`ErrorCode::InvalidResponse`] for a success that
/// can't be read: no JSON object, no `access_token`, another `token_type` than `bearer` in any case,
/// a wrong type in a member that is known.
pub fn response(response: &Response) -> Result<Tokens> {
    if response.status != 200 {
        return Err(failure(response));
    }
    let unreadable =
        |what| Error::new(ErrorCode::InvalidResponse, what).with_status(response.status);
    let text = text::utf8(&response.body).ok_or_else(|| unreadable("the reply is not UTF-8"))?;
    let object = Object::parse(text).ok_or_else(|| unreadable("the reply is not a JSON object"))?;
    read(&|name| match object.value(name) {
        None | Some(Value::Literal("null")) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Member {
            text,
            is_number: false,
        })),
        Some(Value::Number(text)) => Ok(Some(Member {
            text,
            is_number: true,
        })),
        Some(_) => Err(unreadable("a member of the reply has the wrong type")),
    })
    .map_err(|e| e.with_status(response.status))
}

/// Reads a token out of a fragment (RFC 6749, 4.2.2), as AT&T documents one [D].
///
/// # Errors
/// [`ErrorCode::InvalidAnswer`] for a parameter that is there twice, [`ErrorCode::InvalidResponse`]
/// as in [`response`].
pub fn from_parameters(form: &Form) -> Result<Tokens> {
    read(&|name| {
        Ok(form.once(name)?.map(|text| Member {
            text,
            is_number: false,
        }))
    })
}

/// What a reply that is no success means: a verdict on the session, a passing failure, or a refusal.
///
/// Understands OAuth's errors (RFC 6749, 5.2) and the `RequestError` of AT&T's other servers, which
/// also says "Rate Limit Exceeded" with 403 [S].
pub fn failure(response: &Response) -> Error {
    let text = text::utf8(&response.body).unwrap_or_default();
    let object = Object::parse(text).unwrap_or_default();
    let error = object.string("error").map(String::from);
    let mut description = object.string("error_description").map(String::from);
    if let Some(request_error) = object.object("RequestError") {
        let exception = request_error
            .object("PolicyException")
            .or_else(|| request_error.object("ServiceException"));
        description = exception.and_then(|e| e.string("Text").map(String::from));
    }
    let limited = response.status == 403
        && description
            .as_deref()
            .is_some_and(|text| text::contains_ignoring_case(text, "rate limit exceeded"));
    let (code, message) = match error.as_deref() {
        Some("invalid_grant")
            if (400..500).contains(&response.status) && response.status != 429 && !limited =>
        {
            (ErrorCode::LoginRequired, "the session has ended")
        }
        Some("session_mismatch") => (
            ErrorCode::SessionMismatch,
            "another sign-in has taken this one's place",
        ),
        Some("custody_mismatch") => (
            ErrorCode::CustodyMismatch,
            "the relay keeps sessions in a cookie that this browser doesn't send across sites",
        ),
        _ if limited || response.status == 429 || response.status >= 500 => (
            ErrorCode::TemporarilyUnavailable,
            "the server can't answer now",
        ),
        Some(_) => (ErrorCode::RequestRefused, "the server refused the request"),
        // A redirect is not followed (S24), and a 2xx or 4xx without OAuth's error isn't OAuth's.
        None if response.status < 400 => (
            ErrorCode::InvalidResponse,
            "the server answered with an odd status",
        ),
        None => (
            ErrorCode::RequestRefused,
            "the server refused the request without saying why",
        ),
    };
    Error::new(code, message)
        .with_status(response.status)
        .with_oauth(error, description)
}

struct Member<'a> {
    text: &'a str,
    is_number: bool,
}

fn read<'a>(member: &dyn Fn(&str) -> Result<Option<Member<'a>>>) -> Result<Tokens> {
    let invalid = |what| Error::new(ErrorCode::InvalidResponse, what);
    let string = |name: &str| match member(name)? {
        Some(Member {
            is_number: true, ..
        }) => Err(invalid("a member of the reply has the wrong type")),
        other => Ok(other.map(|m| m.text).filter(|text| !text.is_empty())),
    };
    let token_type = string("token_type")?.ok_or_else(|| invalid("the reply has no token_type"))?;
    if !token_type.eq_ignore_ascii_case("bearer") {
        return Err(invalid("the token's type is not bearer"));
    }
    // Older replies carried a numeric string [S].
    let lifetime = match member("expires_in")? {
        None => Lifetime::Seconds(DEFAULT_EXPIRES_IN),
        Some(m) => match whole_seconds(m.text)
            .ok_or_else(|| invalid("expires_in is not a number of seconds"))?
        {
            0 => Lifetime::Never,
            seconds => Lifetime::Seconds(seconds),
        },
    };
    let generation = match member("generation")? {
        None => None,
        Some(m) => {
            Some(whole_seconds(m.text).ok_or_else(|| invalid("generation is not a number"))?)
        }
    };
    let scope = string("scope")?
        .map(Scope::parse)
        .transpose()
        .map_err(|_| invalid("scope is not a scope"))?;
    Ok(Tokens {
        access_token: string("access_token")?
            .map(Secret::new)
            .ok_or_else(|| invalid("the reply has no access_token"))?,
        lifetime,
        refresh_token: string("refresh_token")?.map(Secret::new),
        api_handle: string("api_handle")?.map(Secret::new),
        scope,
        session: string("session")?.map(String::from),
        generation,
    })
}

/// A number of whole seconds, a fraction dropped. Too many for `u32` are 136 years: as good as all.
/// By hand because the standard library's reading of floats is 10 kB of wasm.
fn whole_seconds(text: &str) -> Option<u32> {
    let (whole, fraction) = text::cut(text, b'.').unwrap_or((text, "0"));
    if !text::is_digits(fraction) {
        return None;
    }
    let seconds = u32::try_from(text::whole(whole)?).unwrap_or(u32::MAX);
    // A lifetime under a second isn't "never".
    let part = seconds == 0 && fraction.bytes().any(|b| b != b'0');
    Some(if part { 1 } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let code = || Code::checked("c~1");
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
        let verifier = CodeVerifier::from_random(&[0; 32]);
        let grant = PublicGrant::AuthorizationCode {
            code: Code::checked("c"),
            code_verifier: &verifier,
            redirect_uri: "https://app.example/in",
        };
        let sent = public_request("https://app.example/oauth/token", "key", grant);
        assert_eq!(
            body(&sent),
            "client_id=key&grant_type=authorization_code&code=c&code_verifier=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&redirect_uri=https%3A%2F%2Fapp.example%2Fin"
        );
        let grant = PublicGrant::RefreshToken {
            refresh_token: None,
            rejected_generation: Some(3),
            min_validity: None,
        };
        assert_eq!(
            body(&public_request("x", "key", grant)),
            "client_id=key&grant_type=refresh_token&rejected_generation=3"
        );
    }
}
