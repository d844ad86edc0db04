//! The way out: the user leaves for the authorization endpoint.

use alloc::string::String;

use super::config::{
    AUTHORIZATION_ENDPOINT, CLIENT_ID, CUSTOM_PARAM, IS_TOKEN, ISSUER, NAMESPACE, REDIRECT_URI,
    SCOPE,
};
use super::flow::{Flow, Reply, Stage};
use super::page::Page;
use super::pending;
use crate::protocol::authorization::{self, AuthorizationRequest, ResponseType};
use crate::protocol::members::BREAK;
use crate::protocol::{Result, pkce, text};

/// How many of the random letters are the verifier: no less than the 32 bytes' worth that RFC 7636, 4.1 recommends, and
/// one block for SHA-256.
const VERIFIER: usize = 52;

impl Page {
    /// What every `state` of this client begins with, so that several clients can share a callback
    /// page: an answer with another beginning is another client's.
    pub(super) fn tag(&self) -> u32 {
        // FNV-1a: nobody gains by having the same.
        self.config
            .line(NAMESPACE)
            .bytes()
            .fold(0x811c_9dc5, |hash: u32, byte| {
                (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
            })
    }

    /// Adds a sign-in to those under way, and makes the URL that it begins with.
    pub(super) fn begun(&mut self, flow: &mut Flow, reply: Reply<'_>) -> Result<()> {
        self.check()?;
        let asked = |number| text::nth(&flow.input, BREAK, number);
        let before = self.outcome.get(1..).unwrap_or_default();
        let return_to = text::or(asked(2), text::or(asked(4), before));
        let config = &self.config;
        let scope = text::or(asked(1), config.line(SCOPE));
        let (code_verifier, random) = asked(0).split_at_checked(VERIFIER).unwrap_or_default();
        let code_challenge = pkce::challenge(code_verifier);
        let mut state = String::new();
        text::push_decimal(&mut state, self.tag().into());
        text::extend(&mut state, &[".", random]);
        let is_relay = config.has(ISSUER);
        let is_token = config.has(IS_TOKEN);
        // AT&T parts them by commas [D].
        let mut commas = String::new();
        for name in text::parts(scope, b' ') {
            text::add(&mut commas, name, ",");
        }
        let url = authorization::request(
            config.line(AUTHORIZATION_ENDPOINT),
            &AuthorizationRequest {
                client_id: config.line(CLIENT_ID),
                scope: if is_relay { scope } else { &commas },
                redirect_uri: config.line(REDIRECT_URI),
                state: &state,
                response_type: Some(if is_token {
                    ResponseType::Token
                } else {
                    ResponseType::Code
                }),
                code_challenge: if is_token { "" } else { &code_challenge },
                // A code in the fragment reaches no server's log.
                response_mode: if is_relay { "fragment" } else { "" },
                custom_param: text::or(asked(3), config.line(CUSTOM_PARAM)),
            },
        );
        let line = pending::begun(&state, self.now, scope, return_to, code_verifier);
        let list = pending::with_new(reply, self.now, &line);
        flow.outcome = url;
        flow.stage = Stage::Begun;
        self.also("P", &list);
        Ok(())
    }
}
