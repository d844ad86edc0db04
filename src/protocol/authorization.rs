//! The authorization endpoint (RFC 6749, 4.1.1 and 4.1.2; 4.2.1 and 4.2.2 where asked for).

use alloc::string::{String, ToString};

use super::form::Form;
use super::http::split_url;
use super::pkce::{self, CodeChallenge};
use super::token::{self, Tokens};
use super::{Error, ErrorCode, Result, Secret, text};

/// An authorization code out of a checked answer. Shown once, so it is taken by value.
#[derive(Debug, PartialEq, Eq)]
pub struct Code(Secret);

impl Code {
    /// For an answer that was checked before it was stored or sealed.
    pub(crate) fn checked(code: impl Into<String>) -> Self {
        Self(Secret::new(code))
    }

    /// The value for the wire.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// `response_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseType {
    /// A code, in query or fragment.
    #[default]
    Code,
    /// An access token in the fragment, as AT&T documents it [D]. Dangerous: the token is in the
    /// address bar, and nothing binds it to this client (RFC 9700, 2.1.2).
    Token,
}

/// `custom_param` [S].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CustomParam {
    /// Ignore the phone number that the traffic arrives on.
    pub bypass_onnetwork_auth: bool,
    /// Skip the "switch user" page when a Remember Me cookie exists.
    pub suppress_landing_page: bool,
}

impl CustomParam {
    /// The comma-joined value, if there is one.
    pub const fn value(self) -> Option<&'static str> {
        match (self.bypass_onnetwork_auth, self.suppress_landing_page) {
            (true, true) => Some("bypass_onnetwork_auth,suppress_landing_page"),
            (true, false) => Some("bypass_onnetwork_auth"),
            (false, true) => Some("suppress_landing_page"),
            (false, false) => None,
        }
    }

    /// Reads a value that an app sent.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] for a word that isn't one of the two.
    pub fn parse(value: &str) -> Result<Self> {
        let mut custom_param = Self::default();
        for word in text::split(value, b',') {
            match word {
                "bypass_onnetwork_auth" => custom_param.bypass_onnetwork_auth = true,
                "suppress_landing_page" => custom_param.suppress_landing_page = true,
                _ => {
                    return Err(Error::new(
                        ErrorCode::InvalidOption,
                        "custom_param: an unknown word",
                    ));
                }
            }
        }
        Ok(custom_param)
    }
}

/// What the user's browser is sent to the authorization endpoint with.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The App Key.
    pub client_id: &'a str,
    /// Encoded for whom it goes to: [`Scope::to_commas`](super::scope::Scope::to_commas) for AT&T,
    /// [`Scope::to_spaces`](super::scope::Scope::to_spaces) for the relay.
    pub scope: &'a str,
    /// Without it the gateway uses the registered one [S].
    pub redirect_uri: Option<&'a str>,
    /// Whether AT&T's gateway echoes it is unknown [A].
    pub state: &'a str,
    /// What is asked for. AT&T's SDKs never say it, and get a code [S]: `None` is for a gateway that
    /// takes no such parameter [A].
    pub response_type: Option<ResponseType>,
    /// For the relay; AT&T's gateway ignores it [A].
    pub code_challenge: Option<&'a CodeChallenge>,
    /// `fragment` keeps a code out of the logs of the app's server; for the relay.
    pub response_mode: Option<&'a str>,
    /// AT&T's own.
    pub custom_param: CustomParam,
}

/// The URL to send the user to.
pub fn request(endpoint: &str, request: &AuthorizationRequest<'_>) -> String {
    let response_type = request.response_type.map(|kind| match kind {
        ResponseType::Code => "code",
        ResponseType::Token => "token",
    });
    Form::new()
        .set_some("response_type", response_type)
        .set("client_id", request.client_id)
        .set_some("redirect_uri", request.redirect_uri)
        .set_some(
            "scope",
            Some(request.scope).filter(|scope| !scope.is_empty()),
        )
        .set("state", request.state)
        .set_some(
            "code_challenge",
            request.code_challenge.map(CodeChallenge::as_str),
        )
        .set_some(
            "code_challenge_method",
            request.code_challenge.map(|_| pkce::METHOD),
        )
        .set_some("response_mode", request.response_mode)
        .set_some("custom_param", request.custom_param.value())
        .onto_url(endpoint)
}

/// An answer as it was read from a URL: nobody has checked yet whether it is ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    state: Option<String>,
    iss: Option<String>,
    outcome: Outcome,
    cleaned_url: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Code(Secret),
    Token(Tokens),
    Error {
        error: String,
        description: Option<String>,
    },
}

/// What an answer must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The `state` that was sent. `None` lets an answer without one pass: dangerous.
    pub state: Option<&'a str>,
    /// The issuer, where the server names itself (RFC 9207). `None` where it doesn't.
    pub iss: Option<&'a str>,
    /// What was asked for.
    pub response_type: ResponseType,
}

/// What a checked answer grants.
#[derive(Debug, PartialEq, Eq)]
pub enum Granted {
    /// A code to exchange.
    Code(Code),
    /// A token, where one was asked for.
    Token(Tokens),
}

/// Reads the answer in a URL's query or fragment; `None` if there is none in either.
///
/// # Errors
/// [`ErrorCode::InvalidAnswer`] for one that can't be right: in both places, a code and an error at
/// once, a parameter twice; [`ErrorCode::InvalidResponse`] for a token that can't be read.
pub fn response(url: &str) -> Result<Option<Answer>> {
    let parts = split_url(url);
    let (query, fragment) = (
        parts.query.unwrap_or_default(),
        parts.fragment.unwrap_or_default(),
    );
    let (in_query, in_fragment) = (Form::parse(query), Form::parse(fragment));
    let form = match (has_answer(&in_query), has_answer(&in_fragment)) {
        (false, false) => return Ok(None),
        (true, true) => {
            return Err(refused(
                "the redirect has an answer in its query and one in its fragment",
            ));
        }
        (true, false) => &in_query,
        (false, true) => &in_fragment,
    };
    let outcome = match (
        form.once("code")?,
        form.once("access_token")?,
        form.once("error")?,
    ) {
        (Some(code), None, None) => Outcome::Code(Secret::new(code)),
        (None, Some(_), None) => Outcome::Token(token::from_parameters(form)?),
        (None, None, Some(error)) => Outcome::Error {
            error: error.to_string(),
            description: form.once("error_description")?.map(String::from),
        },
        (None, None, None) => return Ok(None),
        _ => {
            return Err(refused(
                "the redirect has more than one of code, access_token and error",
            ));
        }
    };
    Ok(Some(Answer {
        state: form.once("state")?.map(String::from),
        iss: form.once("iss")?.map(String::from),
        outcome,
        cleaned_url: cleaned(url),
    }))
}

impl Answer {
    /// The answer's `state`, to find what is expected by.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The URL without the answer, all else in it untouched.
    pub fn cleaned_url(&self) -> &str {
        &self.cleaned_url
    }

    /// Checks the answer against what is expected (S12).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] if it isn't the answer that is expected;
    /// [`ErrorCode::AccessDenied`] and [`ErrorCode::AuthorizationFailed`] if it is, and says no.
    pub fn check(self, expected: &Expected<'_>) -> Result<Granted> {
        if let Some(state) = expected.state
            && self.state.as_deref() != Some(state)
        {
            return Err(refused("the redirect's state is not the one that was sent"));
        }
        if let Some(iss) = expected.iss
            && self.iss.as_deref() != Some(iss)
        {
            return Err(refused("the redirect comes from another issuer (RFC 9207)"));
        }
        match (self.outcome, expected.response_type) {
            (Outcome::Code(code), ResponseType::Code) => Ok(Granted::Code(Code(code))),
            (Outcome::Token(tokens), ResponseType::Token) => Ok(Granted::Token(tokens)),
            (Outcome::Error { error, description }, _) => {
                // The value for a denial is an assumption [A], the RFC's.
                let (code, message) = if error == "access_denied" {
                    (ErrorCode::AccessDenied, "access was denied")
                } else {
                    (ErrorCode::AuthorizationFailed, "the sign-in failed")
                };
                Err(Error::new(code, message).with_oauth(Some(error), description))
            }
            _ => Err(refused(
                "the redirect brings another kind of answer than was asked for",
            )),
        }
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidAnswer, message)
}

fn has_answer(form: &Form) -> bool {
    form.iter()
        .any(|(name, _)| matches!(name, "code" | "access_token" | "error"))
}

/// What an answer consists of; all of it leaves the address bar.
const ANSWER: &str = "code state iss error error_description error_uri \
                      access_token token_type expires_in scope refresh_token";

fn cleaned(url: &str) -> String {
    let parts = split_url(url);
    let place_end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    let mut out = String::from(place_end.and_then(|end| url.get(..end)).unwrap_or(url));
    for (mark, place) in [('?', parts.query), ('#', parts.fragment)] {
        let Some(place) = place else { continue };
        if !has_answer(&Form::parse(place)) {
            out.push(mark);
            out.push_str(place);
            continue;
        }
        let mut mark = Some(mark);
        for pair in text::split(place, b'&') {
            let name = text::cut(pair, b'=').map_or(pair, |(name, _)| name);
            if !text::split(ANSWER, b' ').any(|known| known == name) {
                out.push(mark.take().unwrap_or('&'));
                out.push_str(pair);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::scope::Scope;
    use crate::protocol::token::Lifetime;

    const EXPECTED: Expected<'_> = Expected {
        state: Some("s1"),
        iss: Some("https://app.example/oauth"),
        response_type: ResponseType::Code,
    };
    const ISS: &str = "iss=https%3A%2F%2Fapp.example%2Foauth";

    fn check(url: &str, expected: &Expected<'_>) -> Result<Granted> {
        response(url)?.expect("an answer").check(expected)
    }

    #[test]
    fn the_gateways_url_is_as_its_own_sdks_write_it() {
        let scope = Scope::parse("IMMN,MIM").unwrap().to_commas();
        let url = request(
            "https://api.att.com/oauth/v4/authorize",
            &AuthorizationRequest {
                client_id: "key",
                scope: &scope,
                redirect_uri: Some("https://app.example/cb?tx=1"),
                state: "s1",
                response_type: Some(ResponseType::Code),
                code_challenge: None,
                response_mode: None,
                custom_param: CustomParam {
                    bypass_onnetwork_auth: true,
                    suppress_landing_page: true,
                },
            },
        );
        assert_eq!(
            url,
            "https://api.att.com/oauth/v4/authorize?response_type=code&client_id=key\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Ftx%3D1&scope=IMMN%2CMIM&state=s1\
             &custom_param=bypass_onnetwork_auth%2Csuppress_landing_page"
        );
    }

    #[test]
    fn a_code_is_read_from_query_or_fragment() {
        for place in ["?", "#", "?a=b&", "?a=b#", "#a=b&"] {
            let url = std::format!("https://app.example/in{place}code=c1&state=s1&{ISS}");
            assert_eq!(
                check(&url, &EXPECTED),
                Ok(Granted::Code(Code::checked("c1"))),
                "{url}"
            );
        }
    }

    #[test]
    fn a_token_in_the_fragment_is_taken_only_when_asked_for() {
        let url = "https://app.example/in#access_token=BF-ACSI~4~2015~&token_type=bearer&expires_in=172800&state=s1";
        assert_eq!(
            check(
                url,
                &Expected {
                    iss: None,
                    ..EXPECTED
                }
            )
            .unwrap_err()
            .code,
            ErrorCode::InvalidAnswer
        );
        let asked = Expected {
            iss: None,
            response_type: ResponseType::Token,
            ..EXPECTED
        };
        let Ok(Granted::Token(tokens)) = check(url, &asked) else {
            panic!("no token")
        };
        assert_eq!(tokens.access_token.expose(), "BF-ACSI~4~2015~");
        assert_eq!(tokens.lifetime, Lifetime::Seconds(172_800));
        let code = "https://app.example/in?code=c&state=s1";
        assert_eq!(
            check(code, &asked).unwrap_err().code,
            ErrorCode::InvalidAnswer
        );
    }

    #[test]
    fn s12_an_answer_that_is_not_ours_is_refused() {
        for answer in [
            "code=c&iss=https%3A%2F%2Fapp.example%2Foauth",
            "code=c&state=s2&iss=https%3A%2F%2Fapp.example%2Foauth",
            "code=c&state=s1",
            "code=c&state=s1&iss=https%3A%2F%2Fevil.example",
            "code=c&error=x&state=s1&iss=https%3A%2F%2Fapp.example%2Foauth",
            "code=c&code=d&state=s1&iss=https%3A%2F%2Fapp.example%2Foauth",
            "code=c&state=s1&state=s1&iss=https%3A%2F%2Fapp.example%2Foauth",
            "code=c&state=s1&iss=https%3A%2F%2Fapp.example%2Foauth#code=c",
        ] {
            let url = std::format!("https://app.example/in?{answer}");
            assert_eq!(
                check(&url, &EXPECTED).unwrap_err().code,
                ErrorCode::InvalidAnswer,
                "{url}"
            );
        }
    }

    #[test]
    fn a_denial_says_so_in_the_servers_words() {
        let url = std::format!(
            "https://a.example/in?error=access_denied&error_description=no+thanks&state=s1&{ISS}"
        );
        let error = check(&url, &EXPECTED).unwrap_err();
        assert_eq!(error.code, ErrorCode::AccessDenied);
        assert_eq!(error.error_description.as_deref(), Some("no thanks"));
        let url = std::format!("https://a.example/in?error=server_error&state=s1&{ISS}");
        assert_eq!(
            check(&url, &EXPECTED).unwrap_err().code,
            ErrorCode::AuthorizationFailed
        );
    }

    #[test]
    fn a_url_without_an_answer_has_none() {
        for url in [
            "https://a.example/",
            "https://a.example/?state=x",
            "https://a.example/#/route",
            "",
            "?",
            "code=1",
        ] {
            assert_eq!(response(url), Ok(None), "{url}");
        }
    }

    #[test]
    fn cleaning_leaves_all_else_untouched() {
        for (url, cleaned) in [
            (
                "https://a.example/in?code=c&state=s",
                "https://a.example/in",
            ),
            (
                "https://a.example/in?a=%20+&code=c&b&state=s#top",
                "https://a.example/in?a=%20+&b#top",
            ),
            (
                "https://a.example/in?a=b#code=c&state=s&iss=x",
                "https://a.example/in?a=b",
            ),
            (
                "https://a.example/in?scope=mine#code=c&x=y",
                "https://a.example/in?scope=mine#x=y",
            ),
        ] {
            assert_eq!(response(url).unwrap().unwrap().cleaned_url(), cleaned);
        }
    }
}
