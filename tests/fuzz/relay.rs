//! The relay, with requests of which parts are genuine, and a gateway that answers anything.

use std::collections::BTreeSet;

use att_oauth::protocol::http::{Headers, JSON as JSON_TYPE, Request, Response, split_url};
use att_oauth::relay::vault::{self, Answer, Command, Flight, Next, Record, Ticket};
use att_oauth::relay::{self, Step};

use crate::generator::{Draw, FORM, HEADER, JSON, PATH, fuzz};
use crate::world::*;

/// What a browser with a session and an unspent code has.
struct Genuine {
    world: World,
    cookies: Vec<String>,
    code: String,
    verifier: String,
    vaults: BTreeSet<String>,
}

fn genuine() -> Genuine {
    let mut world = world();
    world.sign_in();
    let (code, verifier) = world.code();
    world.begin();
    let cookies = world.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let mut vaults: BTreeSet<_> = world.records.keys().cloned().collect();
    // The vault of the code that is not exchanged yet.
    let mut copy = self::world();
    copy.jar.clone_from(&world.jar);
    copy.now = world.now;
    copy.exchange(&code, &verifier);
    vaults.extend(copy.records.keys().cloned());
    Genuine {
        world,
        cookies,
        code,
        verifier,
        vaults,
    }
}

impl Genuine {
    fn request(&self, draw: &mut Draw) -> Request {
        let methods = ["GET", "GET", "POST", "POST", "POST", "OPTIONS", "PUT", "\0"];
        let path = draw.line(PATH);
        let path = if draw.one_in(3) {
            draw.mutate(path, PATH, 3)
        } else {
            path.into()
        };
        let form = |draw: &mut Draw| {
            let mut line = draw.line(FORM).to_string();
            if draw.one_in(3) {
                line = format!(
                    "grant_type=authorization_code&client_id=key&code={}&code_verifier={}",
                    self.code, self.verifier
                );
            }
            let changes = if draw.one_in(3) { 4 } else { 0 };
            draw.mutate(&line, FORM, changes)
        };
        let mark = if draw.one_in(2) { "?" } else { "" };
        let query = if mark.is_empty() {
            String::new()
        } else {
            form(draw)
        };
        let mut headers = if draw.one_in(4) {
            Headers::new()
        } else {
            self.world.headers.clone()
        };
        headers.append("content-type", "application/x-www-form-urlencoded");
        for _ in 0..draw.below(6).saturating_sub(3) {
            let name = draw.pick(&[
                "origin",
                "cookie",
                "content-type",
                "att-oauth-session",
                "sec-fetch-site",
                "access-control-request-headers",
                "authorization",
                "x-forwarded-host",
            ]);
            let value = draw.line(HEADER);
            let value = draw.mutate(value, HEADER, 4);
            headers.append(name, value);
        }
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|cookie| {
                let changes = if draw.one_in(2) { 0 } else { 3 };
                draw.mutate(cookie, HEADER, changes)
            })
            .collect();
        headers.append("cookie", cookies.join("; "));
        let body = if draw.one_in(5) {
            draw.seed().to_vec()
        } else {
            form(draw).into_bytes()
        };
        Request {
            method: draw.pick(&methods).into(),
            url: format!("https://app.example{path}{mark}{query}"),
            headers,
            body,
        }
    }
}

/// What holds of every response of the relay's own.
fn check_response(response: &Response) {
    assert!((200..600).contains(&response.status));
    for (name, value) in response.headers.iter() {
        let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
        assert!(printable(name) && printable(value), "{name}: {value}");
    }
    assert_eq!(response.headers.get("cache-control"), Some("no-store"));
    assert!(!format!("{response:?}").contains(SECRET));
    if let Some(location) = response.headers.get("location") {
        let to = split_url(location);
        let known = [
            (GATEWAY, "/oauth/v4/authorize"),
            (APP, "/signed-in"),
            (APP, "/query"),
        ];
        assert!(known.contains(&(to.origin, to.path)), "{location}");
    }
    if response.status >= 400 && response.headers.get("content-type") == Some(JSON_TYPE) {
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        assert!(body["error"].is_string());
    }
}

#[test]
fn s33_any_request_gets_an_answer_and_what_is_forged_opens_no_session() {
    let genuine = genuine();
    let config = &genuine.world.config;
    let (mut asked, mut responded) = (0, 0);
    let make = |draw: &mut Draw| (genuine.request(draw), draw.seed());
    fuzz(6_000, make, |(request, seed)| {
        let _ = relay::reads_body(config, request);
        let _ = relay::address_key(config, request);
        for step in [
            relay::begin(config, request, genuine.world.now, seed),
            relay::limited(config, request, "fuzz"),
            relay::broken(config, request, "fuzz"),
        ] {
            match step {
                Step::Respond { response, log, .. } => {
                    responded += 1;
                    check_response(&response);
                    let line = serde_json::to_string(&log.line()).unwrap();
                    assert!(!line.contains(&genuine.verifier) && !line.contains(&genuine.code));
                }
                Step::Ask { ask, then } => {
                    asked += 1;
                    assert!(
                        genuine.vaults.contains(&ask.vault),
                        "a session out of nothing"
                    );
                    let gone = Answer::Gone {
                        reason: "fuzz".into(),
                    };
                    if let Step::Respond { response, .. } =
                        relay::finish(config, then, gone, genuine.world.now, seed)
                    {
                        check_response(&response);
                    }
                }
                Step::Forward { .. } => panic!("nobody has asked the vault"),
            }
        }
    });
    assert!(asked > 100 && responded > 100, "{asked} {responded}");
}

#[test]
fn s33_a_vault_survives_any_reply_of_the_gateway() {
    let world = world();
    let config = &world.config;
    let started = |command: &Command, record: Option<Record>| {
        let stepped = vault::step(config, record, command, Flight::default(), world.now);
        match stepped.next {
            Next::Call(call) => (stepped.record, call.ticket),
            _ => panic!("no call"),
        }
    };
    let exchange: Command =
        serde_json::from_str(r#"{"Exchange":{"code":"c","scope":"DC"}}"#).unwrap();
    let renew = Command::Token {
        handle: None,
        min_validity: 30,
        rejected: Some(1),
        scope: None,
    };
    let text = |record: &Option<Record>| serde_json::to_string(record).unwrap();
    let (waiting, code_ticket) = started(&exchange, None);
    let first = JSON.lines().next().unwrap();
    let reply = Response::new(200).body(JSON_TYPE, first);
    let called = vault::called(
        config,
        waiting.clone(),
        &code_ticket,
        Ok(&reply),
        world.now,
        &[0; 32],
    );
    let active = text(&Some(called.record));
    let (renewing, renewal) = started(&renew, serde_json::from_str(&active).unwrap());
    let (ending, revocation) = started(&Command::End, serde_json::from_str(&active).unwrap());
    let cases: [(String, Ticket); 3] = [
        (text(&waiting), code_ticket),
        (text(&renewing), renewal),
        (text(&ending), revocation),
    ];
    let make = |draw: &mut Draw| {
        let line = draw.line(JSON);
        let body = draw.mutate(line, JSON, 5);
        let statuses = [200, 200, 204, 302, 400, 400, 401, 403, 429, 500, 503];
        let retry_after = draw.line(HEADER);
        let retry_after = draw.mutate(retry_after, HEADER, 2);
        let reply = Response::new(statuses[draw.below(statuses.len())])
            .body(JSON_TYPE, body)
            .header("retry-after", retry_after);
        (draw.below(3), reply, draw.seed())
    };
    fuzz(10_000, make, |(which, reply, seed)| {
        let (record, ticket) = &cases[*which];
        let record = serde_json::from_str(record).unwrap();
        let called = vault::called(config, record, ticket, Ok(reply), world.now, seed);
        assert!(called.alarm.is_finite() && called.alarm >= world.now);
        let _ = serde_json::to_string(&called.log.line()).unwrap();
        let kept = serde_json::to_string(&called.record).unwrap();
        let again: Option<Record> = serde_json::from_str(&kept).unwrap();
        // Only a verdict ends a session that was there.
        let client_error = (400..500).contains(&reply.status) && reply.status != 429;
        let verdict = client_error && String::from_utf8_lossy(&reply.body).contains("error");
        if matches!(ticket, Ticket::Renewal { .. }) && !verdict {
            assert!(kept.contains("Active"), "{kept}");
        }
        let flight = Flight {
            under_way: false,
            waited: true,
        };
        let ask = Command::Token {
            handle: None,
            min_validity: 30,
            rejected: None,
            scope: None,
        };
        vault::step(config, again, &ask, flight, called.alarm);
    });
}

#[test]
fn s33_s38_an_apis_header_never_sets_a_cookie_or_sends_a_browser_on() {
    let world = world();
    let make = |draw: &mut Draw| {
        let mut headers = Headers::new();
        for _ in 0..draw.below(5) {
            let names = [
                "set-cookie",
                "location",
                "content-type",
                "refresh",
                "etag",
                "x-odd",
                "Set-Cookie",
            ];
            let name = draw.pick(&names);
            let value = draw.line(HEADER);
            let value = draw.mutate(value, HEADER, 2);
            headers.append(name, value);
        }
        let status = u16::try_from(draw.below(1000)).unwrap();
        (Some(status).filter(|_| !draw.one_in(20)), headers)
    };
    fuzz(10_000, make, |(status, headers)| {
        let (response, _) =
            relay::api_response(&world.config, Some(APP.into()), *status, headers, Some(1));
        for name in ["set-cookie", "location", "refresh"] {
            assert_eq!(response.headers.get(name), None);
        }
        assert_eq!(response.headers.get("cache-control"), Some("no-store"));
    });
}
