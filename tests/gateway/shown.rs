//! What the emulator shows of itself.

use att_oauth::gateway::Live;
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{Request, split_url};
use serde_json::json;

use crate::world::{
    APP, BASE, SECRET, host, host_with, in_query, location, oauth_error, read, remembered, string,
    ticket, token_request,
};

#[test]
fn requests_are_counted_by_endpoint_and_grant() {
    let mut host = host();
    let pair = host.pair("DC");
    host.refresh(&string(&pair, "refresh_token"));
    host.device("x");
    host.send(Request::get(format!("{BASE}/x")));
    let counts = host.gateway.counts();
    assert_eq!(
        (
            counts.authorize,
            counts.token.authorization_code,
            counts.token.refresh_token
        ),
        (3, 1, 1)
    );
    assert_eq!(
        (counts.api, counts.other, counts.revoke, counts.total()),
        (1, 1, 0, 7)
    );
}

#[test]
fn s01_s03_the_shown_log_holds_no_secret_code_token_password_or_cookie() {
    let mut host = remembered("DC");
    let code = in_query(
        &location(&host.gateway.log().last().unwrap().response.clone().unwrap()),
        "code",
    )
    .unwrap();
    let pair = read(&host.token(&[("grant_type", "authorization_code"), ("code", &code)]));
    let (access, refresh) = (
        string(&pair, "access_token"),
        string(&pair, "refresh_token"),
    );
    host.device(&access);
    let next = read(&host.refresh(&refresh));
    host.revoke(&string(&next, "refresh_token"), "refresh_token");
    let page = host.start("DC");
    let implicit = host.authorize(&[
        ("client_id", APP),
        ("scope", "DC"),
        ("response_type", "token"),
        ("custom_param", "suppress_landing_page"),
    ]);
    let implicit = location(&implicit);
    // Someone puts the secret where it doesn't belong.
    host.send(Request::get(format!(
        "{BASE}/{SECRET}?x=app%2Fsecret%2B1&y={SECRET}"
    )));
    let mut request = Request::form(format!("{BASE}/oauth/v4/token"), SECRET.into());
    request.headers.append("user-agent", SECRET);
    request.headers.append("content-type", "text/plain");
    host.send(request);

    let shown = serde_json::to_string(&host.gateway.shown_log()).unwrap();
    let cookie = host.cookie.clone().unwrap();
    let cookie = cookie.split_once('=').unwrap().1;
    let fragment = Form::parse(split_url(&implicit).fragment.unwrap());
    let secrets = [
        SECRET,
        "app%2Fsecret%2B1",
        &code,
        &access,
        &refresh,
        &string(&next, "access_token"),
        &string(&next, "refresh_token"),
        fragment.first("access_token").unwrap(),
        "engine",
        "nanosecond",
        cookie,
        &ticket(&page),
    ]
    .map(str::to_owned);
    for secret in secrets {
        // The random part alone, for a token's `~` may be written in two ways.
        let part = secret.rsplit('~').next().unwrap();
        assert!(!shown.contains(part), "{part}");
    }
    assert!(shown.contains("grant_type=refresh_token") && shown.contains("expires_in"));
    let raw: Vec<_> = host
        .gateway
        .log()
        .map(|exchange| exchange.unmasked())
        .collect();
    assert!(serde_json::to_string(&raw).unwrap().contains(&refresh));
}

#[test]
fn the_same_code_is_seen_to_come_back_without_being_seen() {
    let mut host = host();
    host.pair("DC");
    let log = host.gateway.shown_log();
    let location = &log[2].response_headers["location"];
    let mark = location
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    assert!(mark.starts_with("[redacted #"), "{location}");
    assert!(log[3].request_body.contains(&format!("code={mark}")));
}

#[test]
fn a_lost_reply_is_shown_as_made_and_one_that_was_not_made_is_not() {
    for (processed, status) in [(false, None), (true, Some(200))] {
        let rules = json!([{ "kind": "cut", "processed": processed }]);
        let mut host = host_with(json!({ "faults": rules }));
        let request = token_request(&[("grant_type", "client_credentials"), ("scope", "SMS")]);
        assert_eq!(host.try_send(request), None);
        let shown = host.gateway.shown_latest().unwrap();
        assert_eq!((shown.status, shown.fault), (status, Some("cut")));
    }
}

#[test]
fn everything_can_be_expired_and_ended_by_hand() {
    let mut host = host();
    let pair = host.pair("DC");
    host.gateway.expire_access_tokens();
    assert_eq!(host.device(&string(&pair, "access_token")).status, 401);
    let pair = read(&host.refresh(&string(&pair, "refresh_token")));
    host.gateway.end_sessions();
    assert_eq!(
        host.live(),
        Live {
            codes: 0,
            access_tokens: 0,
            refresh_tokens: 0
        }
    );
    assert_eq!(
        oauth_error(&host.refresh(&string(&pair, "refresh_token"))),
        (400, "invalid_grant".into())
    );
}
