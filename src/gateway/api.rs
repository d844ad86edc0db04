//! A few resource APIs: one of each kind of scope, with AT&T's `RequestError` bodies.

use std::format;
use std::string::String;

use serde_json::{Value, json};

use super::fault::Endpoint;
use super::options::digits;
use super::random::Random;
use super::token::Access;
use super::{Gateway, shape};
use crate::protocol::form::Form;
use crate::protocol::http::{Request, Response, split_url};

const DEVICE: &str = "/rest/2/Devices/Info";
const MESSAGES: &str = "/myMessages/v2/messages";
const OUTBOX: &str = "/sms/v3/messaging/outbox";

/// Path, method, scope `\[S\]`.
const APIS: &[(&str, &str, &str)] = &[
    (DEVICE, "GET", "DC"),
    (MESSAGES, "GET", "MIM"),
    (OUTBOX, "POST", "SMS"),
];

/// Whether there is an API at a path.
pub fn serves(path: &str) -> bool {
    APIS.iter().any(|(at, ..)| *at == path)
}

impl Gateway {
    pub(super) fn call_api(&self, request: &Request, now_ms: f64, random: &mut Random) -> Response {
        let Some((path, method, scope)) = APIS.iter().find(|(at, ..)| *at == request.path()) else {
            return shape::error(Endpoint::Other, 404, "There is nothing at this path");
        };
        if request.method != *method {
            return shape::method_not_allowed(Endpoint::Api, method);
        }
        let access = match self.authorized(request, scope, now_ms) {
            Ok(access) => access,
            Err(refusal) => return refusal,
        };
        match *path {
            DEVICE => self.device(access),
            MESSAGES => messages(request, now_ms),
            _ => send_sms(request, random),
        }
    }

    /// The token that a request bears, if it opens an API of this scope.
    fn authorized(&self, request: &Request, scope: &str, now_ms: f64) -> Result<&Access, Response> {
        let field = request.headers.get("authorization").map(str::trim);
        let field = field.filter(|field| !field.is_empty()).ok_or_else(|| {
            let text = "The Authorization header is missing";
            shape::policy(400, "POL0001", text, None)
        })?;
        // The scheme in any case [S].
        let token = field
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let access = token
            .and_then(|token| self.access.peek(token, now_ms))
            .ok_or_else(|| {
                let text = "The access token is wrong or expired";
                shape::policy(401, "POL0001", text, None)
            })?;
        if !access.scopes.iter().any(|own| own == scope) {
            let text = "The access token is not enabled for the scope %1";
            return Err(shape::policy(403, "POL0001", text, Some(scope)));
        }
        Ok(access)
    }

    fn device(&self, access: &Access) -> Response {
        let user = access.user.and_then(|at| self.options.users.get(at));
        let Some(user) = user else {
            return shape::consent_missing();
        };
        let name = format!("{} {}", user.device.vendor, user.device.model);
        let body = json!({
            "DeviceInfo": {
                "DeviceId": { "TypeAllocationCode": type_allocation_code(&user.phone_number) },
                "Capabilities": {
                    "Name": name,
                    "Vendor": user.device.vendor,
                    "Model": user.device.model,
                    "FirmwareVersion": "EMULATOR-1.0",
                    "UaProf": "http://uaprof.example/emulated.xml",
                    "MmsCapable": "Y",
                    "AssistedGps": "Y",
                    "LocationTechnology": "SUPL2",
                    "DeviceBrowser": "safari",
                    "WapPushCapable": "Y",
                },
            },
        });
        shape::json(200, &body)
    }
}

fn messages(request: &Request, now_ms: f64) -> Response {
    let query = Form::parse(request.query());
    let number = |name, usual: u32, most: u32| match query.first(name) {
        None => Some(usual),
        Some(text) => text.parse().ok().filter(|n| *n <= most),
    };
    let Some(limit) = number("limit", 10, 500) else {
        return invalid_value("limit", "0 to 500");
    };
    let Some(offset) = number("offset", 0, u32::MAX) else {
        return invalid_input("offset");
    };
    const TEXTS: [&str; 3] = ["Hello from the emulator", "Lunch at noon?", "On my way"];
    let all = TEXTS.iter().enumerate().map(|(i, text)| {
        json!({
            "messageId": format!("WU{}", 123 + i),
            "from": { "value": "+12065550199" },
            "recipients": [{ "value": "+12065550100" }],
            "text": text,
            "isUnread": i == 0,
            "isIncoming": true,
            "type": "TEXT",
            "typeMetaData": { "isSegmented": false },
        })
    });
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown: Value = all.skip(skip).take(take).collect();
    let body = json!({
        "messageList": {
            "messages": shown,
            "offset": offset,
            "limit": limit,
            "total": TEXTS.len(),
            "state": format!("{now_ms:.0}"),
            "cacheStatus": "INITIALIZED",
        },
    });
    shape::json(200, &body)
}

fn send_sms(request: &Request, random: &mut Random) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        return shape::service(400, "SVC0001", "The body is not JSON", None);
    };
    let sms = body.get("outboundSMSRequest");
    let text = |name| sms.and_then(|sms| sms.get(name)).and_then(Value::as_str);
    let is_number = |address: &str| {
        let number = address.strip_prefix("tel:");
        number.is_some_and(|number| digits(number).len() >= 4)
    };
    match text("address") {
        None => return invalid_input("address"),
        Some(list) if !list.split(',').any(is_number) => return no_valid_address("address"),
        Some(list) if !list.split(',').all(is_number) => return invalid_input("address"),
        Some(_) => {}
    }
    if text("message").is_none_or(str::is_empty) {
        return invalid_input("message");
    }
    let id = format!("SMS{}", random.alphanumeric(12));
    let url = format!("{}{OUTBOX}/{id}", split_url(&request.url).origin);
    let body = json!({
        "outboundSMSResponse": {
            "messageId": id,
            "resourceReference": { "resourceURL": url },
        },
    });
    shape::json(201, &body)
}

// The ids and their status are AT&T's [D]; that they mean and say what they do in Parlay X (3GPP TS
// 29.199-1), whose ids these are, is an assumption [A].

fn invalid_input(part: &str) -> Response {
    let text = "Invalid input value for message part %1";
    shape::service(400, "SVC0002", text, Some(part))
}

fn invalid_value(part: &str, valid: &str) -> Response {
    let text = "Invalid input value for message part %1, valid values are %2";
    shape::service(400, "SVC0003", text, Some(&format!("{part},{valid}")))
}

fn no_valid_address(part: &str) -> Response {
    let text = "No valid addresses provided in message part %1";
    shape::service(400, "SVC0004", text, Some(part))
}

/// Eight digits that stay the same for a phone number.
fn type_allocation_code(phone_number: &str) -> String {
    let digits = digits(phone_number);
    let tail: String = digits.chars().rev().take(8).collect();
    format!("{tail:0>8}")
}
