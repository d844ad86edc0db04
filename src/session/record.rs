//! The session as it is stored for all tabs: enough to know that there is one, and no access token.

use alloc::rc::Rc;
use alloc::string::String;

use crate::protocol::Secret;
use crate::protocol::form::Form;
use crate::protocol::scope::Scope;
use crate::protocol::text::{decimal, whole};
use crate::protocol::token::{Lifetime, Tokens};

/// What is known of a session beside its access token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Session {
    /// The relay's public label; empty where the server gives none.
    pub label: String,
    /// The relay's count of tokens.
    pub generation: Option<u32>,
    /// What was granted.
    pub scope: Scope,
    /// Milliseconds since 1970; infinite if the token never expires.
    pub expires_at: f64,
    /// Milliseconds that the token was given for; infinite likewise.
    pub lifetime: f64,
    /// A sealed handle in custody `handle`: useless at the gateway.
    pub handle: Option<Secret>,
    /// What names the session for the relay's `/api` then.
    pub api_handle: Option<Secret>,
    /// The user has signed out and the server hasn't heard of it yet: nobody is signed in.
    pub is_over: bool,
}

/// What a sign-in or a renewal gives.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    pub session: Rc<Session>,
    pub access_token: Secret,
}

impl Signed {
    /// Of the reply to a request that was sent at `asked_at`, for what was asked for.
    pub fn read(tokens: Tokens, asked_at: f64, scope: &Scope) -> Self {
        Self {
            session: Rc::new(Session::new(&tokens, asked_at, scope)),
            access_token: tokens.access_token,
        }
    }
}

impl Session {
    /// The session that a reply tells of, asked for at `asked_at`: a token's life counts from before
    /// the request, so that a slow reply never makes it seem longer.
    pub fn new(tokens: &Tokens, asked_at: f64, scope: &Scope) -> Self {
        let lifetime = match tokens.lifetime {
            Lifetime::Seconds(seconds) => f64::from(seconds) * 1000.0,
            Lifetime::Never => f64::INFINITY,
        };
        Self {
            label: tokens.session.clone().unwrap_or_default(),
            generation: tokens.generation,
            scope: tokens.scope.clone().unwrap_or_else(|| scope.clone()),
            // Whole milliseconds, as it is stored: what reads back must be the same.
            expires_at: whole_ms(asked_at + lifetime),
            lifetime,
            handle: tokens.refresh_token.clone(),
            api_handle: tokens.api_handle.clone(),
            is_over: false,
        }
    }

    /// The stored form.
    pub fn encode(&self) -> String {
        let finite = |ms: f64| ms.is_finite().then(|| decimal(ms as u64));
        Form::new()
            .set("session", &self.label)
            .set_some(
                "generation",
                self.generation.map(|n| decimal(n.into())).as_deref(),
            )
            .set("scope", &self.scope.to_spaces())
            .set_some("expires_at", finite(self.expires_at).as_deref())
            .set_some("lifetime", finite(self.lifetime).as_deref())
            .set_some("handle", self.handle.as_ref().map(Secret::expose))
            .set_some("api_handle", self.api_handle.as_ref().map(Secret::expose))
            .set_some("over", self.is_over.then_some("1"))
            .encode()
    }

    /// Reads the stored form; `None` for what we didn't write.
    pub fn decode(stored: &str) -> Option<Self> {
        let form = Form::parse(stored);
        let ms = |name| match form.first(name) {
            None => Some(f64::INFINITY),
            Some(text) => whole(text).map(|ms| ms as f64),
        };
        let generation = match form.first("generation") {
            None => None,
            Some(text) => Some(u32::try_from(whole(text)?).ok()?),
        };
        Some(Self {
            label: form.first("session")?.into(),
            generation,
            scope: Scope::parse(form.first("scope")?).ok()?,
            expires_at: ms("expires_at")?,
            lifetime: ms("lifetime")?,
            handle: form.first("handle").map(Secret::new),
            api_handle: form.first("api_handle").map(Secret::new),
            is_over: form.first("over").is_some(),
        })
    }
}

fn whole_ms(ms: f64) -> f64 {
    if ms.is_finite() {
        (ms as u64) as f64
    } else {
        ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        let mut session = Session {
            label: "abc".into(),
            generation: Some(3),
            scope: Scope::parse("DC MIM").unwrap(),
            expires_at: 1_800_000_000_000.0,
            lifetime: 172_800_000.0,
            handle: None,
            api_handle: None,
            is_over: false,
        };
        assert_eq!(Session::decode(&session.encode()).as_ref(), Some(&session));
        session.expires_at = f64::INFINITY;
        session.lifetime = f64::INFINITY;
        session.generation = None;
        session.handle = Some(Secret::new("h&="));
        session.api_handle = Some(Secret::new("a"));
        session.is_over = true;
        assert_eq!(Session::decode(&session.encode()), Some(session));
    }

    #[test]
    fn foreign_text_is_no_session() {
        for text in [
            "",
            "{}",
            "session=a",
            "session=a&scope=&expires_at=soon",
            "session=a&scope=&generation=x",
        ] {
            assert_eq!(Session::decode(text), None, "{text}");
        }
    }
}
