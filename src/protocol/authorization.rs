//! The authorization endpoint (RFC 6749, 4.1.1 and 4.1.2; 4.2.1 and 4.2.2 where asked for).

use alloc::string::String;
use core::mem;

use super::form::{self, Form};
use super::http::split_url;
use super::members::{self, Members, NAMES};
use super::pkce;
use super::token::{self, Lifetime};
use super::{Error, ErrorCode, Reason, Result, text};

/// `response_type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseType {
    /// A code, in query or fragment.
    #[default]
    Code,
    /// An access token in the fragment, as AT&T documents it \[D\]. Dangerous: the token is in the
    /// address bar, and nothing binds it to this client (RFC 9700, 2.1.2).
    Token,
}

/// `custom_param` \[S\].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CustomParam {
    /// Ignore the phone number that the traffic arrives on.
    pub bypass_onnetwork_auth: bool,
    /// Skip the "switch user" page when a Remember Me cookie exists.
    pub suppress_landing_page: bool,
}

impl CustomParam {
    /// The comma-joined value; empty if there is none.
    pub const fn value(self) -> &'static str {
        match (self.bypass_onnetwork_auth, self.suppress_landing_page) {
            (true, true) => "bypass_onnetwork_auth,suppress_landing_page",
            (true, false) => "bypass_onnetwork_auth",
            (false, true) => "suppress_landing_page",
            (false, false) => "",
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

/// What the user's browser is sent to the authorization endpoint with. What is empty isn't sent.
#[derive(Clone, Copy, Debug)]
pub struct AuthorizationRequest<'a> {
    /// The App Key.
    pub client_id: &'a str,
    /// Encoded for whom it goes to: [`Scope::to_commas`](super::scope::Scope::to_commas) for AT&T,
    /// [`Scope::to_spaces`](super::scope::Scope::to_spaces) for the relay.
    pub scope: &'a str,
    /// Without it the gateway uses the registered one \[S\].
    pub redirect_uri: &'a str,
    /// Whether AT&T's gateway echoes it is unknown \[A\].
    pub state: &'a str,
    /// What is asked for. AT&T's SDKs never say it, and get a code \[S\]: `None` is for a gateway that
    /// takes no such parameter \[A\].
    pub response_type: Option<ResponseType>,
    /// For the relay; AT&T's gateway ignores it \[A\].
    pub code_challenge: &'a str,
    /// `fragment` keeps a code out of the logs of the app's server; for the relay.
    pub response_mode: &'a str,
    /// AT&T's own: [`CustomParam::value`].
    pub custom_param: &'a str,
}

/// The URL to send the user to.
pub fn request(endpoint: &str, request: &AuthorizationRequest<'_>) -> String {
    let response_type = request.response_type.map(|kind| match kind {
        ResponseType::Code => "code",
        ResponseType::Token => "token",
    });
    let response_type = response_type.unwrap_or_default();
    let is_pkce = !request.code_challenge.is_empty();
    let mut query = String::new();
    form::append(&mut query, "response_type", response_type);
    form::append(&mut query, "client_id", request.client_id);
    form::append(&mut query, "redirect_uri", request.redirect_uri);
    form::append(&mut query, "scope", request.scope);
    form::append(&mut query, "state", request.state);
    form::append(&mut query, "code_challenge", request.code_challenge);
    let method = if is_pkce { pkce::METHOD } else { "" };
    form::append(&mut query, "code_challenge_method", method);
    form::append(&mut query, "response_mode", request.response_mode);
    form::append(&mut query, "custom_param", request.custom_param);
    form::onto_url(endpoint, &query)
}

/// What a page's URL holds of an answer: its parameters, which nobody has looked at, and the URL without
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The members of the query, then those of the fragment, each with a break after it.
    pub(crate) texts: String,
    /// The URL without the answer, all else in it untouched.
    pub cleaned_url: String,
}

impl Redirect {
    /// Takes a URL apart. `texts.js` does the same.
    pub fn parse(url: &str) -> Self {
        let parts = split_url(url);
        let mut texts = String::new();
        for place in [parts.query, parts.fragment] {
            let place = unslashed(place.unwrap_or_default());
            texts.push_str(&members::of_form(&Form::parse(place)));
        }
        Self {
            texts,
            cleaned_url: cleaned(url),
        }
    }

    /// The answer in query or fragment; `None` if there is none in either.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] for one that can't be right: in both places, a code and an error at
    /// once, a parameter twice.
    pub fn answer(&self) -> Result<Option<Answer<'_>>> {
        Answer::read(&self.texts, 0)
    }
}

/// An answer as it was read from a URL: nobody has checked yet whether it is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    members: Members<'a>,
    /// Empty if there is none.
    pub(crate) state: &'a str,
    iss: &'a str,
    code: &'a str,
    error: &'a str,
}

/// What an answer must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The `state` that was sent. `None` lets an answer without one pass: dangerous.
    pub state: Option<&'a str>,
    /// The issuer, where the server names itself (RFC 9207). Empty where it doesn't.
    pub iss: &'a str,
    /// What was asked for.
    pub response_type: ResponseType,
}

/// What a checked answer grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted<'a> {
    /// A code to exchange. Shown once.
    Code(&'a str),
    /// A token, where one was asked for, with its lifetime.
    Token(Fragment<'a>, Lifetime),
}

/// The parameters of a token in the fragment (RFC 6749, 4.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a>(pub(crate) Members<'a>);

impl<'a> Fragment<'a> {
    /// The token.
    pub fn access_token(self) -> &'a str {
        self.0.or_empty(members::ACCESS_TOKEN)
    }
}

impl<'a> Answer<'a> {
    /// Reads the members of a query and a fragment, which begin at `first`.
    pub(crate) fn read(texts: &'a str, first: usize) -> Result<Option<Self>> {
        let in_query = Members { texts, first };
        let in_fragment = Members {
            texts,
            first: first + NAMES.len(),
        };
        let members = match (has_answer(in_query), has_answer(in_fragment)) {
            (false, false) => return Ok(None),
            (true, true) => {
                return Err(Reason::TwoAnswers.into());
            }
            (is_in_query, _) => {
                if is_in_query {
                    in_query
                } else {
                    in_fragment
                }
            }
        };
        Self::of(members).ok_or_else(|| Reason::TwoAnswers.into())
    }

    /// `None` if it can't be right.
    fn of(members: Members<'a>) -> Option<Option<Self>> {
        let code = members.string(members::CODE)?;
        let error = members.string(members::ERROR)?;
        let token = members.string(members::ACCESS_TOKEN)?;
        let answer = Self {
            members,
            state: members.string(members::STATE)?,
            iss: members.string(members::ISS)?,
            code,
            error,
        };
        let kinds = [code, error, token];
        match kinds.iter().filter(|text| !text.is_empty()).count() {
            0 => Some(None),
            1 => Some(Some(answer)),
            _ => None,
        }
    }

    /// Checks the answer against what is expected (S12).
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAnswer`] if it isn't the answer that is expected, [`ErrorCode::InvalidResponse`]
    /// for a token that can't be read; [`ErrorCode::AccessDenied`] and [`ErrorCode::AuthorizationFailed`]
    /// if it is, and says no.
    pub fn check(&self, expected: &Expected<'_>) -> Result<Granted<'a>> {
        if expected.state.is_some_and(|state| state != self.state) {
            return Err(Reason::OtherState.into());
        }
        if !expected.iss.is_empty() && expected.iss != self.iss {
            return Err(Reason::OtherIssuer.into());
        }
        if !self.error.is_empty() {
            // The value for a denial is an assumption [A], the RFC's.
            let reason = if self.error == "access_denied" {
                Reason::Denied
            } else {
                Reason::NotAuthorized
            };
            let description = self.members.or_empty(members::ERROR_DESCRIPTION);
            return Err(Error::answered(reason, None, self.error, description));
        }
        match (expected.response_type, self.code.is_empty()) {
            (ResponseType::Code, false) => Ok(Granted::Code(self.code)),
            (ResponseType::Token, true) => {
                let lifetime = token::lifetime(self.members).ok_or(Reason::NoToken)?;
                Ok(Granted::Token(Fragment(self.members), lifetime))
            }
            _ => Err(Reason::OtherKind.into()),
        }
    }
}

fn has_answer(members: Members<'_>) -> bool {
    [members::CODE, members::ACCESS_TOKEN, members::ERROR]
        .into_iter()
        .any(|index| members.has(index))
}

/// What an answer consists of; all of it leaves the address bar.
fn is_of_an_answer(name: &str) -> bool {
    NAMES.iter().skip(3).any(|known| *known == name)
}

/// Without the slash that a hash router may have put before an answer.
fn unslashed(place: &str) -> &str {
    let is_word = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    place.strip_prefix('/').filter(is_word).unwrap_or(place)
}

fn cleaned(url: &str) -> String {
    let parts = split_url(url);
    let place_end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
    let mut out = String::from(place_end.and_then(|end| url.get(..end)).unwrap_or(url));
    for (mut before, place) in [("?", parts.query), ("#", parts.fragment)] {
        let Some(whole) = place else { continue };
        let place = unslashed(whole);
        if !has_answer(Members::new(&members::of_form(&Form::parse(place)))) {
            text::extend(&mut out, &[before, whole]);
            continue;
        }
        for pair in text::split(place, b'&') {
            let name = text::cut(pair, b'=').map_or(pair, |(name, _)| name);
            if !is_of_an_answer(&form::decode(name)) {
                text::extend(&mut out, &[mem::replace(&mut before, "&"), pair]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::scope::Scope;

    const EXPECTED: Expected<'_> = Expected {
        state: Some("s1"),
        iss: "https://app.example/oauth",
        response_type: ResponseType::Code,
    };
    const ISS: &str = "iss=https%3A%2F%2Fapp.example%2Foauth";

    /// What is granted, in words.
    fn check(url: &str, expected: &Expected<'_>) -> Result<String> {
        let redirect = Redirect::parse(url);
        let granted = redirect.answer()?.expect("an answer").check(expected)?;
        Ok(match granted {
            Granted::Code(code) => std::format!("code {code}"),
            Granted::Token(fragment, lifetime) => {
                std::format!("token {} {lifetime:?}", fragment.access_token())
            }
        })
    }

    #[test]
    fn the_gateways_url_is_as_its_own_sdks_write_it() {
        let scope = Scope::parse("IMMN,MIM").unwrap().to_commas();
        let url = request(
            "https://api.att.com/oauth/v4/authorize",
            &AuthorizationRequest {
                client_id: "key",
                scope: &scope,
                redirect_uri: "https://app.example/cb?tx=1",
                state: "s1",
                response_type: Some(ResponseType::Code),
                code_challenge: "",
                response_mode: "",
                custom_param: CustomParam {
                    bypass_onnetwork_auth: true,
                    suppress_landing_page: true,
                }
                .value(),
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
            assert_eq!(check(&url, &EXPECTED), Ok("code c1".into()), "{url}");
        }
    }

    #[test]
    fn a_token_in_the_fragment_is_taken_only_when_asked_for() {
        let url = "https://app.example/in#access_token=BF-ACSI~4~2015~&token_type=bearer&expires_in=172800&state=s1";
        assert_eq!(
            check(
                url,
                &Expected {
                    iss: "",
                    ..EXPECTED
                }
            )
            .unwrap_err()
            .code,
            ErrorCode::InvalidAnswer
        );
        let asked = Expected {
            iss: "",
            response_type: ResponseType::Token,
            ..EXPECTED
        };
        assert_eq!(
            check(url, &asked),
            Ok("token BF-ACSI~4~2015~ Seconds(172800)".into())
        );
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
            "https://a.example/#/?code=PROMO",
            "",
            "?",
            "code=1",
        ] {
            assert_eq!(Redirect::parse(url).answer(), Ok(None), "{url}");
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
            (
                "https://a.example/in#/code=c&state=s",
                "https://a.example/in",
            ),
            (
                "https://a.example/in#/code=c&x=y",
                "https://a.example/in#x=y",
            ),
            ("https://a.example/in?#/a", "https://a.example/in?#/a"),
        ] {
            assert_eq!(Redirect::parse(url).cleaned_url, cleaned);
        }
    }
}
