//! The end of a schedule: faults have stopped, time has passed, and everything must be in order.

use std::collections::BTreeMap;
use std::rc::Rc;

use att_oauth::protocol::ErrorCode;

use crate::browser::{Browser, Tab};
use crate::page::{End, Page};
use crate::world::{PAGE, World};

/// Longer than any back-off and any flow that was under way.
pub const CALM_MS: f64 = 150_000.0;
/// Longer than the last of a few tries to revoke.
pub const REVOCATIONS_MS: f64 = 8.0 * 3_600_000.0;

/// Nothing is under way any more.
pub fn all_is_settled(world: &Rc<World>) {
    for browser in world.browsers.borrow().iter() {
        for page in browser.pages() {
            if page.running.get() > 0 {
                let tab = page.tab.name();
                world
                    .sim
                    .broken("4 (every promise settles)", || format!("{tab} still waits"));
            }
        }
    }
}

/// Everybody who is signed in gets a token that is good, and everybody else can sign in and out.
pub async fn all_is_well(world: Rc<World>) {
    let browsers = world.browsers.borrow().clone();
    for browser in browsers {
        for page in browser.pages() {
            open_page_is_well(&world, &page).await;
        }
        let tab = Tab::open(&browser, PAGE, BTreeMap::new());
        fresh_page_is_well(&world, &browser, &tab).await;
        signing_in_works(&world, &browser, &tab).await;
    }
}

async fn open_page_is_well(world: &Rc<World>, page: &Rc<Page>) {
    let (claim, doomed) = (
        page.browser.claim(page.tab.id),
        page.browser.doomed_claim(page.tab.id),
    );
    let name = page.tab.name();
    match page.token().await {
        Ok(token) if world.accepts(&token) => {}
        Ok(token) => {
            let is_ours = claim
                .is_some_and(|claim| Some(claim.family) == world.ledger.borrow().family_of(&token));
            if is_ours && !page.may_be_stale() && !world.weather.gateway_ends_tokens {
                world.sim.broken("6 (the next token is good)", || {
                    format!("{name} keeps a dead token")
                });
            }
            renewing_helps(world, page).await;
        }
        Err(error) if is_verdict(error.code) => {}
        Err(error) => {
            world.sim.broken("6 (the next token is good)", || {
                format!(
                    "{name}: {error}, and no fault is about; {}",
                    doomed.is_some()
                )
            });
        }
    }
}

/// An app whose token was refused asks for another: it gets one that is good, or hears the truth. The
/// first may be one that it has missed, and that is dead too.
async fn renewing_helps(world: &Rc<World>, page: &Rc<Page>) {
    let name = page.tab.name();
    let mut renewed = page.refresh().await;
    if renewed.as_ref().is_ok_and(|token| !world.accepts(token)) {
        renewed = page.refresh().await;
    }
    match renewed {
        Ok(token) if world.accepts(&token) => {}
        Ok(_) => world.sim.broken("6 (the next token is good)", || {
            format!("{name} gets a dead token")
        }),
        Err(error) if is_verdict(error.code) => {}
        Err(error) => world
            .sim
            .broken("6 (the next token is good)", || format!("{name}: {error}")),
    }
}

async fn fresh_page_is_well(world: &Rc<World>, browser: &Rc<Browser>, tab: &Rc<Tab>) {
    let sim = &world.sim;
    sim.sleep(10_000.0).await;
    let Some(page) = tab.page() else { return };
    let (claim, doomed) = (browser.claim(tab.id), browser.doomed_claim(tab.id));
    let token = page.token().await;
    let family = token
        .as_ref()
        .ok()
        .and_then(|token| world.ledger.borrow().family_of(token));
    if let Some(claim) = claim {
        if family != Some(claim.family) {
            sim.broken("6 (the next token is good)", || {
                format!("{} has no token of its session: {token:?}", tab.name())
            });
        }
        // The gateway may have ended it before its time.
        if token.is_ok_and(|token| !world.accepts(&token)) {
            if !world.weather.gateway_ends_tokens {
                sim.broken("6 (the next token is good)", || {
                    format!("{} gets a dead token", tab.name())
                });
            }
            renewing_helps(world, &page).await;
        }
        return;
    }
    match token {
        Ok(token) => {
            if !world.accepts(&token) {
                renewing_helps(world, &page).await;
            }
            if doomed.is_some() && page.client.is_signed_in() {
                sim.broken("2 (lost is what a fault in a window hit)", || {
                    format!("{} was doomed and lives", tab.name())
                });
            }
        }
        Err(error) if error.code == ErrorCode::LoginRequired => {}
        Err(error) if error.code == ErrorCode::SessionMismatch => {
            page.end.resolve(End::Reload);
            sim.sleep(10_000.0).await;
            let Some(page) = tab.page() else { return };
            if let Err(error) = page.token().await
                && error.code != ErrorCode::LoginRequired
            {
                sim.broken("6 (the next token is good)", || {
                    format!("{}: {error} even after a reload", tab.name())
                });
            }
        }
        Err(error) => sim.broken("6 (the next token is good)", || {
            format!("{}: {error}", tab.name())
        }),
    }
}

async fn signing_in_works(world: &Rc<World>, browser: &Rc<Browser>, tab: &Rc<Tab>) {
    let sim = &world.sim;
    let broken =
        |what: &str| sim.broken("6 (signing in works)", || format!("{}: {what}", tab.name()));
    let Some(page) = tab.page() else { return };
    if let Err(error) = page.sign_in(browser.user).await {
        return broken(&error.to_string());
    }
    sim.sleep(60_000.0).await;
    let Some(page) = tab.page() else {
        return broken("the user never came back");
    };
    let token = match page.token().await {
        Ok(token) => token,
        Err(error) => return broken(&error.to_string()),
    };
    if !world.accepts(&token) {
        broken("the token is dead");
    }
    if let Err(error) = page.sign_out().await {
        broken(&error.to_string());
    }
    sim.sleep(20_000.0).await;
    for page in browser.pages() {
        // Judged as it is shown (claim 3).
        let _ = page.token().await;
    }
}

/// What was owed to the gateway has been paid.
pub fn debts_are_paid(world: &Rc<World>) {
    for family in &world.ledger.borrow().families {
        if family.is_owed && family.doomed.is_none() && family.ended.is_none() {
            world
                .sim
                .broken("7 (a revocation reaches the gateway)", || {
                    format!("{} is still alive there", family.vault)
                });
        }
    }
}

fn is_verdict(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::LoginRequired | ErrorCode::SessionMismatch)
}
