//! What relays before have kept, and given out: a newer one goes on with it. Whoever has to change a text here ends
//! everybody's session, which only a new minor version may, and raises the version of what is kept.

use att_oauth::relay::vault::Record;
use serde_json::{Value, json};

use crate::world::*;

/// A session's cookie, as 0.1.0 gave it out.
const COOKIE: (&str, &str) = (
    "__Host-att-oauth-JsyBLjSi-tY1x_3lOMebL",
    "s1.p5AxVap0slgbjiH9EYEmVv1zoJRHKCTWWKeebTT7IztPi2w-NkOQL31pRqr7wKq0ULWHknXbDawVBlNF33K_FzyY798HVNoWVWcBS0F8_QiYG4IkwXrzl14l",
);
/// What it gave out in custody `handle`.
const HANDLE: &str = "s1.Mcs2TemRZ0F33t6DyKF-SIw8epA3jzRT45SRp_W5gW0gnKz4THVxNsiPdJo9PufE6D6f_JWccQZ7UdRuvo9sAH478pSDnAi76cULaGPb0EnTVMs4JWJ9UNPGHSj9fEtCSaFu6bOc";
const API_HANDLE: &str = "s1.Wc49LcWOzb-fZ8HFoqLcM2YTFqADN2AYeFqOnGArP5D5dG1RPhpm81N2JHA3b0Z9EvLR9altqSTBl5Kva9nT7FjGETeN1qjw4ST9Agy7of3usfIiJY0I5rGc";
/// The session's vault, and its record: the members that it had from the first.
const VAULT: &str = "Keww2Ylt1v2_RSYR96boYlbay3J3isS8g6qRAahh7Io";
const TOKEN: &str = "BF-ACSI~4~20150830211106~29TTwKAikHlQmTCvh86CEuFefla71mAe";
fn record() -> Value {
    json!({ "v": 1, "state": { "Active": {
        "access_token": TOKEN, "refresh_token": "PhJ8mY6Bw5Zbymph2NCn1LynoS0b0Nlx", "scope": "DC MIM",
        "generation": 1, "obtained_ms": 1_440_969_066_000.0, "expires_ms": 1_441_141_866_000.0,
        "ends_ms": 1_448_745_066_000.0, "used_ms": 1_440_969_066_000.0, "code_hash": null, "backoff": null,
        "handle": 1,
    } } })
}

fn updated(custody: &str) -> World {
    let mut world = world_with(json!({ "custody": custody }), json!({}));
    world.records.insert(VAULT.into(), record().to_string());
    world
}

#[test]
fn a_session_outlives_an_update_of_the_relay() {
    let mut world = updated("cookie");
    world.jar.insert(COOKIE.0.into(), COOKIE.1.into());
    assert_eq!(read(&world.refresh(&[]))["access_token"], TOKEN);

    let mut world = updated("handle");
    let reply = read(&world.refresh(&[("refresh_token", HANDLE)]));
    assert_eq!(reply["access_token"], TOKEN);
    world
        .headers
        .append("authorization", format!("Bearer {API_HANDLE}"));
    // The gateway of this test has never heard of the token, and the session's end is its word.
    assert_eq!(world.api("GET", "/rest/2/Devices/Info").status, 401);
    assert_eq!(world.gateway.counts().api, 1);
}

#[test]
fn of_a_record_of_another_version_nothing_is_read() {
    let mut other = record();
    other["v"] = json!(2);
    assert!(serde_json::from_value::<Record>(record()).is_ok());
    assert!(serde_json::from_value::<Record>(other).is_err());
}
