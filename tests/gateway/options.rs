//! What the emulator is started with.

use att_oauth::gateway::{Gateway, Options};
use serde_json::json;

#[test]
fn all_mistakes_in_the_options_are_named_at_once() {
    let options = json!({
        "apps": [
            { "appKey": "", "appSecret": 7, "scope": ["DC"], "scopes": [], "oauthRedirectUrl": "/cb" },
            { "appKey": "a", "appSecret": "s", "scopes": ["D C"], "oauthRedirectUrl": "https://a.example/#x" },
            7,
        ],
        "users": [{ "name": "Ada", "phoneNumber": "12", "password": "x" }, {}],
        "accessTokenTtl": -1,
        "latencyMs": "slow",
        "echoState": "no",
        "answer": "body",
        "ecoState": true,
        "responseType": "ignored",
        "noConsentScopes": true,
        "unknownCustomParams": "accepted",
        "rememberMeTtl": 0,
        "errorFormat": "yaml",
        "errorStatus": { "invalid_grant": 1 },
        "faults": [{ "kind": "earthquake" }, { "kind": "cut", "times": 0 }],
    });
    let error = Gateway::from_json(&options.to_string()).err().unwrap();
    let places: Vec<_> = error
        .problems
        .iter()
        .map(|p| p.split(':').next().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "ecoState",
            "apps[0].scope",
            "apps[0].appKey",
            "apps[0].appSecret",
            "apps[1].scopes",
            "apps[1].oauthRedirectUrl",
            "apps[2]",
            "users[0].phoneNumber",
            "users[1].name",
            "users[1].phoneNumber",
            "users[1].password",
            "accessTokenTtl",
            "latencyMs",
            "echoState",
            "answer",
            "rememberMeTtl",
            "responseType",
            "noConsentScopes",
            "unknownCustomParams",
            "errorStatus.invalid_grant",
            "errorFormat",
            "faults[0].kind",
            "faults[1].times",
        ]
    );
    assert_eq!(
        error.problems[2],
        "apps[0].appKey: must be a string that is not empty"
    );
    assert!(
        error
            .to_string()
            .starts_with("the gateway's options are wrong:\n  ecoState: unknown; known are apps, ")
    );
}

#[test]
fn what_is_wrong_between_apps_or_users_is_named_too() {
    let app = json!({ "appKey": "a", "appSecret": "s", "scopes": ["DC"], "oauthRedirectUrl": "https://a.example/" });
    let user = json!({ "name": "Ada", "phoneNumber": "425-555-0101", "password": "x" });
    let options = json!({ "apps": [app, app], "users": [user, user], "networkUser": "1234567", "tokenType": "b r" });
    let error = Gateway::from_json(&options.to_string()).err().unwrap();
    assert_eq!(
        error.problems,
        [
            "apps[1].appKey: another app has the same one",
            "users[1].phoneNumber: another user has the same one",
            "networkUser: no user has this phone number",
            "tokenType: must be letters",
        ]
    );
}

#[test]
fn no_options_no_apps_and_no_json_are_mistakes() {
    for (text, problem) in [
        ("{}", "apps: missing"),
        (r#"{"apps":[]}"#, "apps: at least one app is needed"),
        ("[]", "the options: must be an object"),
        ("null", "the options: must be an object"),
    ] {
        let error = Gateway::from_json(text).err().unwrap();
        assert_eq!(error.problems, [problem]);
    }
    let error = Gateway::from_json("{").err().unwrap();
    assert!(error.problems[0].starts_with("not JSON: "));
    assert!(Gateway::new(Options::default()).is_err());
}
