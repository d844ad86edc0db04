//! What must be true of a page.

use super::*;

impl Page {
    pub(super) fn judge(
        self: &Rc<Self>,
        run: &Run,
        result: &Result<Outcome>,
        begun: f64,
        before: &Before,
    ) {
        if run.kind == Kind::Redirect {
            self.user.set(None);
        }
        match result {
            Ok(Outcome::SignedIn(_)) if run.exchanges => {
                let left = self.left_at.get();
                if run.sent_at < left && left < run.answered_at {
                    self.sim().broken("3 (no session after sign-out)", || {
                        format!(
                            "{} took up a sign-in whose reply came after it",
                            self.tab.name()
                        )
                    });
                }
                let label = run.label.as_ref().expect("a reply has a label");
                let family = self
                    .world
                    .ledger
                    .borrow()
                    .labelled(label)
                    .expect("a label has a session");
                self.user
                    .set(Some(self.world.ledger.borrow().families[family].user));
                let tab = self.tab.id;
                // The user may have cleared the cookies meanwhile, or the storage; or signed in in two tabs at once.
                let is_held = self.browser.has_cookie_of(label)
                    && self.stored_label().as_ref() == Some(label);
                self.browser
                    .claims(is_held.then_some(Claim { family, tab }));
                self.looked.set(self.browser.epoch.get());
            }
            Ok(Outcome::AccessToken(token)) => self.is_shown(token.expose(), Some(begun)),
            Ok(_) if matches!(run.kind, Kind::SignOut | Kind::Revoke) => {
                self.browser.claims(None);
                if let Some(label) = &run.removed {
                    self.note(|| format!("is out of {label}"));
                    let now = self.sim().now();
                    self.browser
                        .signed_out
                        .borrow_mut()
                        .insert(label.clone(), now);
                }
            }
            Err(error) => self.judge_error(run.kind, error, before),
            _ => {}
        }
    }

    fn judge_error(&self, kind: Kind, error: &Error, before: &Before) {
        let after = self.browser.claim(self.tab.id);
        let (Some(claim), Some(after)) = (&before.claim, after) else {
            return;
        };
        if self.browser.epoch.get() != before.epoch || claim.family != after.family {
            return;
        }
        let is_news = before.looked < before.epoch;
        let is_lost = match error.code {
            // A redirect's own outcome says nothing of the session.
            ErrorCode::LoginRequired => kind != Kind::Redirect,
            ErrorCode::SessionMismatch => !is_news,
            _ => false,
        };
        if is_lost {
            self.sim().broken("2 (no session is lost)", || {
                format!(
                    "{} was told {error} though the user is signed in",
                    self.tab.name()
                )
            });
        }
    }

    /// The app has a token now. `begun`: since when it waited for it, if it did.
    pub(super) fn is_shown(&self, token: &str, begun: Option<f64>) {
        let mut ledger = self.world.ledger.borrow_mut();
        ledger.counts.tokens += 1;
        let Some(family) = ledger.family_of(token) else {
            return self
                .sim()
                .broken("3", || format!("the gateway never gave the token {token}"));
        };
        let (user, label, closed_at) = {
            let family = &ledger.families[family];
            let label = family.label.clone().unwrap_or_default();
            (family.user, label, family.closed_at)
        };
        if let Some(shown) = self.user.replace(Some(user))
            && shown != user
        {
            self.sim()
                .broken("3 (no token for another user's page)", || {
                    format!(
                        "{} was user {shown}'s and got a token of user {user}",
                        self.tab.name()
                    )
                });
        }
        let Some(out) = self.browser.signed_out.borrow().get(&label).copied() else {
            return;
        };
        // Where each tab keeps a record of its own, one may yet find the session that another has left,
        // if its vault has not: the relay may not have heard of it, or the vault have died over it.
        if !self.world.records_are_shared() && closed_at.is_none_or(|at| at > out) {
            return;
        }
        let could_not_know = self.unheard.get() > 0 || self.missed.get();
        let is_wrong = match begun {
            // A record of its own tells it nothing before the message does.
            Some(begun) => begun >= out && (self.world.records_are_shared() || !could_not_know),
            None => !could_not_know,
        };
        if is_wrong {
            self.sim().broken("3 (no token after sign-out)", || {
                format!(
                    "{} got a token of {label}, which it had left",
                    self.tab.name()
                )
            });
        }
    }

    /// Whether it may hold a token that is no good, and not know it.
    pub fn may_be_stale(&self) -> bool {
        self.missed.get()
            || self.unheard.get() > 0
            || self.browser.missed_reply.get()
            || !self.world.records_are_shared()
    }
}
