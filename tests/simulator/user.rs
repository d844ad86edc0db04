//! What apps and users do.

use std::rc::Rc;

use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, Response, split_url};
use att_oauth::protocol::{Error, ErrorCode};
use att_oauth::session::Wanted;

use crate::browser::Tab;
use crate::engine::Sim;
use crate::gateway::{GATEWAY, USERS};
use crate::page::Page;
use crate::world::{APP, ISSUER};

/// An app starts on a page, and its user does one thing after another.
pub async fn uses(page: Rc<Page>) {
    let sim = page.world.sim.clone();
    sim.pause(0.0, 50.0).await;
    // A component that mounts twice asks twice.
    if sim.chance(0.3) {
        let twice = page.clone();
        sim.spawn(page.group, async move {
            twice.sim_pause(100.0).await;
            let _ = twice.handle_redirect().await;
        });
    }
    let mut outcome = page.handle_redirect().await;
    for _ in 0..2 {
        if outcome.is_err() && sim.chance(0.7) {
            sim.pause(100.0, 5_000.0).await;
            outcome = page.handle_redirect().await;
        }
    }
    while page.world.budget.get() > 0 {
        page.world.budget.set(page.world.budget.get() - 1);
        thinks(&sim, &page).await;
        let result = acts(&page).await;
        if let Err(error) = result {
            copes(&sim, &page, &error).await;
        }
    }
}

impl Page {
    async fn sim_pause(&self, most: f64) {
        self.world.sim.pause(0.0, most).await;
    }
}

/// Mostly for a moment, sometimes until just about the token's end.
async fn thinks(sim: &Sim, page: &Page) {
    let ms = match sim.random(|r| r.below(10)) {
        0..6 => sim.random(|r| r.between(0.0, 3_000.0)),
        6..8 => sim.random(|r| r.between(3_000.0, 40_000.0)),
        _ => {
            let left = page.client.expires_at().unwrap_or(0.0) - page.now();
            left.clamp(0.0, 100_000.0) - sim.random(|r| r.between(-5_000.0, 20_000.0))
        }
    };
    sim.sleep(ms).await;
}

async fn acts(page: &Rc<Page>) -> Result<(), Error> {
    let sim = &page.world.sim;
    if !page.client.is_signed_in() {
        let user = chooses_user(page);
        return match sim.random(|r| r.below(10)) {
            0..7 => page.sign_in(user).await.map(drop),
            7 => page.sign_out().await.map(drop),
            _ => page.token().await.map(drop),
        };
    }
    match sim.random(|r| r.below(100)) {
        0..30 => page.token().await.map(drop),
        30..45 => {
            // Many callers at once, in all tabs.
            for other in page.browser.pages() {
                for _ in 0..sim.random(|r| 1 + r.below(3)) {
                    let other = other.clone();
                    sim.spawn(other.group, async move {
                        other.sim_pause(50.0).await;
                        let _ = other.token().await;
                    });
                }
            }
            page.token().await.map(drop)
        }
        45..55 => {
            let min_validity = Some(sim.random(|r| r.between(0.0, 200_000.0)));
            page.token_wanted(Wanted {
                min_validity,
                ..Wanted::default()
            })
            .await
            .map(drop)
        }
        55..62 => page.refresh().await.map(drop),
        62..74 => page.call_api().await.map(drop),
        74..80 => {
            // Straight to the gateway; a refused token is renewed.
            let token = page.token().await?;
            if !page.world.accepts(&token) {
                page.refresh().await?;
            }
            Ok(())
        }
        80..86 => page.handle_redirect().await.map(drop),
        86..91 => page.sign_in(chooses_user(page)).await.map(drop),
        91..94 => page.revoke().await.map(drop),
        94..98 => page.sign_out().await.map(drop),
        _ => {
            page.end.resolve(crate::page::End::Reload);
            Ok(())
        }
    }
}

fn chooses_user(page: &Page) -> usize {
    let sim = &page.world.sim;
    if sim.chance(0.25) {
        sim.random(|r| r.below(USERS.len()))
    } else {
        page.browser.user
    }
}

/// What an app does about an error, as the documentation says.
async fn copes(sim: &Sim, page: &Rc<Page>, error: &Error) {
    if error.code.is_retryable() {
        sim.pause(500.0, 6_000.0).await;
        let _ = page.token().await;
        return;
    }
    match error.code {
        ErrorCode::LoginRequired if sim.chance(0.6) => {
            let _ = page.sign_in(chooses_user(page)).await;
        }
        ErrorCode::SessionMismatch if sim.chance(0.5) => page.end.resolve(crate::page::End::Reload),
        ErrorCode::SessionMismatch => {
            let _ = page.handle_redirect().await;
        }
        _ => {}
    }
}

/// The way over the relay and the gateway's pages, back to the app; nothing if the user gives up.
pub async fn goes_to_the_gateway(tab: &Rc<Tab>, url: &str, user: usize) -> Option<String> {
    let (browser, sim) = (&tab.browser, &tab.browser.world.sim);
    let away = location(&browser.get(url, false).await?)?;
    if away.starts_with(APP) && !away.starts_with(ISSUER) {
        return Some(away);
    }
    let mut page = tab.browser.world.at_gateway(&Request::get(&away));
    sim.pause(100.0, 2_000.0).await;
    let mut agrees = true;
    for step in 0..3 {
        if let Some(back) = location(&page) {
            return comes_back(tab, &back, agrees.then_some(user)).await;
        }
        // Some go for a coffee.
        let ms = if browser.world.strikes(0.03) {
            700_000.0
        } else {
            8_000.0
        };
        sim.pause(200.0, ms).await;
        if browser.world.strikes(0.04) {
            return None;
        }
        agrees = !browser.world.strikes(0.07);
        let ticket = ticket(&page)?;
        let form = Form::new().set("ticket", &ticket);
        let form = match (step, agrees) {
            (_, false) => form.set("action", "deny"),
            (0, true) => form
                .set("action", "sign_in")
                .set("user", USERS[user])
                .set("password", "engine"),
            _ => form.set("action", "allow"),
        };
        let url = format!("{GATEWAY}/oauth/v4/authorize");
        page = browser.world.at_gateway(&Request::form(url, form.encode()));
    }
    None
}

/// To the relay's callback, and on to the app's page; maybe twice.
async fn comes_back(tab: &Rc<Tab>, back: &str, user: Option<usize>) -> Option<String> {
    let browser = &tab.browser;
    let query = Form::parse(split_url(back).query.unwrap_or_default());
    if let (Some(code), Some(user)) = (query.first("code"), user) {
        browser.world.ledger.borrow_mut().code_given(code, user);
    }
    let (weather, sim) = (&browser.world.weather, &browser.world.sim);
    if weather.double_redirect && sim.chance(0.7) {
        let first = browser.get(back, true).await;
        sim.pause(0.0, 50.0).await;
        let second = browser
            .get(back, true)
            .await
            .and_then(|reply| location(&reply));
        return match (first.and_then(|reply| location(&reply)), second) {
            // The first page may have had time to begin.
            (Some(first), Some(second)) if sim.chance(0.7) => {
                tab.replaced_soon(second);
                Some(first)
            }
            (first, second) => second.or(first),
        };
    }
    location(&browser.get(back, true).await?)
}

fn location(response: &Response) -> Option<String> {
    response.headers.get("location").map(String::from)
}

fn ticket(page: &Response) -> Option<String> {
    let text = std::str::from_utf8(&page.body).ok()?;
    let (_, rest) = text.split_once(r#"name="ticket" value=""#)?;
    rest.split('"').next().map(String::from)
}
