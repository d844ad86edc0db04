//! The readers, beside those of others.

use std::time::{Duration, Instant};

use att_oauth::protocol::authorization::Redirect;
use att_oauth::protocol::form::Form;
use att_oauth::protocol::http::{JSON as JSON_TYPE, Response, split_url};
use att_oauth::protocol::json::{Object, Value};
use att_oauth::protocol::{base64url, revocation, scope::Scope, token};

use crate::generator::{FORM, HEADER, JSON, URL, fuzz};

#[test]
fn s33_a_form_is_read_as_the_url_standard_reads_it() {
    let make = |draw: &mut crate::generator::Draw| {
        let line = draw.line(FORM);
        draw.mutate(line, FORM, 8)
    };
    fuzz(20_000, make, |text| {
        let ours = Form::parse(text);
        let theirs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
        let pairs: Vec<_> = ours.iter().collect();
        let expected: Vec<_> = theirs.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(pairs, expected);
        assert_eq!(Form::parse(&ours.encode()), ours);
    });
}

#[test]
fn s33_json_is_read_as_serde_json_reads_it() {
    let make = |draw: &mut crate::generator::Draw| {
        let line = draw.line(JSON);
        draw.mutate(line, JSON, 6)
    };
    let mut both = 0;
    fuzz(20_000, make, |text| {
        let ours = Object::parse(text);
        let theirs = serde_json::from_str::<serde_json::Value>(text);
        match (&ours, &theirs) {
            (Some(ours), Ok(serde_json::Value::Object(theirs))) => {
                both += 1;
                for (name, value) in theirs {
                    let same = match (ours.value(name).unwrap(), value) {
                        (Value::String(ours), serde_json::Value::String(theirs)) => ours == theirs,
                        (Value::Number(ours), serde_json::Value::Number(theirs)) => {
                            ours.parse::<f64>().unwrap() == theirs.as_f64().unwrap()
                        }
                        (Value::Literal(ours), theirs) => {
                            serde_json::from_str::<serde_json::Value>(ours).unwrap() == *theirs
                        }
                        (Value::Nested(ours), theirs) => {
                            serde_json::from_str::<serde_json::Value>(ours).unwrap() == *theirs
                        }
                        _ => false,
                    };
                    assert!(same, "{name}");
                }
            }
            // Ours takes a lone surrogate, a number of any size, and doesn't look into nested values.
            (Some(_), Err(_)) => {
                let lax = ["\\u", "e", "E", "[", "{"];
                let inner = text.trim_start().strip_prefix('{').unwrap();
                assert!(lax.iter().any(|odd| inner.contains(odd)));
            }
            (Some(_), Ok(_)) => panic!("not an object"),
            (None, Ok(theirs)) => assert!(!theirs.is_object()),
            (None, Err(_)) => {}
        }
    });
    assert!(both > 1000, "only {both} were objects to both");
}

#[test]
fn s33_an_answer_in_a_url_is_read_or_refused() {
    let make = |draw: &mut crate::generator::Draw| {
        let line = draw.line(URL);
        draw.mutate(line, URL, 8)
    };
    fuzz(20_000, make, |url| {
        let redirect = Redirect::parse(url);
        if let Ok(Some(_)) = redirect.answer() {
            // What was read is gone from the URL that the page goes on with.
            let cleaned = Redirect::parse(&redirect.cleaned_url);
            assert!(
                matches!(cleaned.answer(), Ok(None)),
                "{}",
                redirect.cleaned_url
            );
        }
        let parts = split_url(url);
        assert!(url.starts_with(parts.origin));
        let _ = (parts.host(), parts.is_secure());
    });
}

#[test]
fn s33_a_reply_of_the_gateway_is_read_or_refused() {
    let make = |draw: &mut crate::generator::Draw| {
        let line = draw.line(JSON);
        let statuses = [200, 200, 204, 302, 400, 401, 403, 409, 429, 500, 503, 999];
        let status = statuses[draw.below(statuses.len())];
        let mut body = draw.mutate(line, JSON, 5).into_bytes();
        if draw.one_in(4) && !body.is_empty() {
            let at = draw.below(body.len());
            body[at] = 0xff;
        }
        let kind = if draw.one_in(3) {
            draw.line(HEADER)
        } else {
            JSON_TYPE
        };
        Response::new(status).body(kind, body)
    };
    fuzz(20_000, make, |reply| {
        match token::response(reply) {
            Ok(tokens) => {
                assert!(reply.is_success());
                assert!(!tokens.access_token.expose().is_empty());
            }
            Err(error) => assert_eq!(error.status, Some(reply.status)),
        }
        if revocation::response(reply).is_ok() {
            assert!(reply.is_success());
        }
    });
}

#[test]
fn s33_small_readers_take_anything() {
    let make = |draw: &mut crate::generator::Draw| {
        let line = draw.line(HEADER);
        draw.mutate(line, FORM, 8)
    };
    fuzz(20_000, make, |text| {
        if let Some(bytes) = base64url::decode(text) {
            assert_eq!(base64url::encode(&bytes), *text);
        }
        if let Ok(scope) = Scope::parse(text) {
            assert!(Scope::parse(&scope.to_commas()).unwrap().is_within(&scope));
        }
    });
}

#[test]
fn s35_what_is_long_or_deep_takes_no_longer_than_it_is() {
    let long = 1 << 20;
    let start = Instant::now();
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(long), "]".repeat(long));
    assert!(Object::parse(&deep).is_some());
    assert!(Object::parse(&deep[..long]).is_none());
    assert_eq!(Form::parse(&"a&".repeat(long)).len(), long);
    let doubled = format!("https://app.example/?{}", "code=a&".repeat(long));
    assert!(Redirect::parse(&doubled).answer().is_err());
    assert!(base64url::decode(&"A".repeat(long)).is_some());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}
