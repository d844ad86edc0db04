//! The pages that a user sees. They work without scripts, by keyboard, on a phone, enlarged, read
//! aloud, in dark and light, and say whose they aren't.

use std::format;
use std::string::{String, ToString};

use super::options::{User, digits};
use super::random::Random;
use super::shape;
use crate::protocol::http::Response;

const STYLE: &str = include_str!("page.css");

/// Nobody's logo: a gate.
const MARK: &str = r##"<svg viewBox="0 0 28 28" aria-hidden="true"><rect width="28" height="28" rx="8" fill="#3346c9"/><path d="M7 21V13a7 7 0 0 1 14 0v8M14 6v15M7 15h14" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"/></svg>"##;
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 28 28'%3E%3Crect width='28' height='28' rx='8' fill='%233346c9'/%3E%3Cpath d='M7 21V13a7 7 0 0 1 14 0v8M14 6v15M7 15h14' fill='none' stroke='%23fff' stroke-width='2'/%3E%3C/svg%3E";
const TICK: &str = r#"<svg viewBox="0 0 20 20" aria-hidden="true"><path d="m4 10.5 4 4 8-9" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>"#;
const SIGN: &str = r#"<svg viewBox="0 0 20 20" aria-hidden="true"><circle cx="10" cy="10" r="8.5" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M10 5.8v5M10 13.9v.1" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/></svg>"#;

/// What a scope means to the one who is asked.
fn in_words(scope: &str) -> &'static str {
    match scope {
        "AAB" => "See and change your address book",
        "DC" => "See what your phone is and what it can do",
        "IMMN" => "Send messages from your phone number",
        "MIM" => "Read and manage the messages in your inbox",
        "TL" => "See where your phone is",
        "MOBO" => "Send and read messages on your behalf",
        "WEBRTCMOBILE" => "Make and receive calls with your phone number",
        _ => "Use another service on your behalf",
    }
}

/// What was typed into the sign-in page and signed nobody in.
pub struct Tried<'a> {
    pub user: &'a str,
    pub has_password: bool,
}

/// Who signs in? `tried`: what failed a moment ago. `users` may be picked.
pub fn sign_in(
    ticket: &str,
    app: &str,
    users: &[User],
    tried: Option<&Tried<'_>>,
    random: &mut Random,
) -> Response {
    let name = tried.map_or("", |tried| tried.user);
    let no_name = tried.is_some() && name.trim().is_empty();
    let no_password = tried.is_some_and(|tried| !tried.has_password);
    let mismatch = tried.is_some() && !no_name && !no_password;
    let user = Field {
        id: "user",
        label: "Phone number or user ID",
        attributes: r#"type="text" autocomplete="username" autocapitalize="none" spellcheck="false""#,
        value: name,
        hint: None,
        error: no_name.then_some("Enter a phone number or a user ID."),
        blamed_by: mismatch.then_some("password-error"),
        has_focus: tried.is_none() || no_name,
    };
    let password = Field {
        id: "password",
        label: "Password",
        attributes: r#"type="password" autocomplete="current-password""#,
        value: "",
        hint: Some("Never one that you use at AT&amp;T."),
        error: match (no_password, mismatch) {
            (true, _) => Some("Enter the password."),
            (_, true) => Some(
                "This phone number or user ID and this password don't belong together. Try again.",
            ),
            _ => None,
        },
        blamed_by: None,
        has_focus: tried.is_some() && !no_name,
    };
    let fields = format!(
        r#"{user}{password}
<button class="main" name="action" value="sign_in">Sign in</button>
<button class="plain" name="action" value="deny">Cancel</button>"#,
        user = user.html(),
        password = password.html(),
    );
    let body = format!(
        r#"<h1>Sign in</h1>
<p class="soft">to go on to <b>{app}</b></p>
{form}{people}"#,
        app = escape(app),
        form = form(ticket, &fields),
        people = people(ticket, users),
    );
    let title = match tried {
        Some(_) => "Error: Sign in",
        None => "Sign in",
    };
    page(200, title, &body, random)
}

/// Is it still the one we remember?
pub fn welcome(ticket: &str, app: &str, user: Option<&User>, random: &mut Random) -> Response {
    let name = user.map_or("", |user| &user.name);
    let fields = format!(
        r#"<button class="main" name="action" value="continue">Continue as {name}</button>
<button class="plain" name="action" value="switch">Switch user</button>
<button class="plain" name="action" value="deny">Cancel</button>"#,
        name = escape(name),
    );
    let body = format!(
        r#"<h1>Welcome back</h1>
<p class="soft"><b>{app}</b> wants to sign you in.</p>
{who}{form}"#,
        app = escape(app),
        who = who(user, "Remembered on this browser", ""),
        form = form(ticket, &fields),
    );
    page(200, "Welcome back", &body, random)
}

/// What may the app do?
pub fn consent(
    ticket: &str,
    app: &str,
    user: Option<&User>,
    by_network: bool,
    scopes: &[String],
    remember: bool,
    random: &mut Random,
) -> Response {
    let mut list = String::new();
    for scope in scopes {
        let (words, scope) = (in_words(scope), escape(scope));
        list.push_str(&format!(
            "<li>{TICK}<span>{words}</span> <code>{scope}</code></li>"
        ));
    }
    let fields = format!(
        r#"<ul class="scopes" aria-labelledby="asks">{list}</ul>
<label class="check"><input type="checkbox" name="remember" value="on"{checked}> <span>Remember Me <small>Next time this browser needs no password, and no second yes.</small></span></label>
<div class="pair"><button class="main" name="action" value="allow">Allow</button>
<button class="plain" name="action" value="deny">Deny</button></div>"#,
        checked = if remember { " checked" } else { "" },
    );
    let how = match by_network {
        true => "Recognised by the phone number you are connected with",
        false => "Signed in",
    };
    // A form of its own, for the Enter key sends the other one by its first button.
    let switch = form(
        ticket,
        r#"<button class="link" name="action" value="switch">Switch user</button>"#,
    );
    let app = escape(app);
    let body = format!(
        r#"<h1>Allow {app}?</h1>
{who}
<p id="asks"><b>{app}</b> asks for your permission to:</p>
{form}"#,
        form = form(ticket, &fields),
        who = who(user, how, &switch),
    );
    page(200, &format!("Allow {app}?"), &body, random)
}

/// Something that the user can do nothing about, and the app must not be told by a redirect.
pub fn problem(status: u16, text: &str, random: &mut Random) -> Response {
    let body = format!(
        r#"<h1>This sign-in can't go on</h1>
<p>{}</p>
<p class="soft">Nothing was shared with the app.</p>"#,
        escape(text)
    );
    page(status, "Can't sign in", &body, random)
}

/// Goes to `location`, and there again after `after_ms` milliseconds, if the browser is still here
/// then: what AT&T's sign-in page is known to do `\[S\]`. The second navigation replaces the first, whose
/// request has mostly left by then. The `Location` field is for programs; browsers ignore it with status 200.
pub fn leaving_twice(location: &str, app: &str, after_ms: u32, random: &mut Random) -> Response {
    let nonce = random.alphanumeric(22);
    let body = format!(
        r#"<h1>Taking you back</h1>
<p>to <b>{app}</b>, twice, as AT&amp;T's sign-in page does. <a id="next" href="{href}">Go on</a></p>
<script nonce="{nonce}">
const go = () => location.assign(document.getElementById("next").href);
go();
setTimeout(go, {after_ms});
</script>"#,
        app = escape(app),
        href = escape(location),
    );
    page_with(200, "Taking you back", &body, &nonce).header("location", location)
}

/// A field, and beside it what to know of it and what is wrong with it.
struct Field<'a> {
    id: &'a str,
    label: &'a str,
    attributes: &'a str,
    value: &'a str,
    hint: Option<&'a str>,
    error: Option<&'a str>,
    /// The id of an error that stands at another field and is about this one too.
    blamed_by: Option<&'a str>,
    has_focus: bool,
}

impl Field<'_> {
    fn html(&self) -> String {
        let Self { id, label, .. } = self;
        let (mut described_by, mut notes) = (String::new(), String::new());
        if let Some(hint) = self.hint {
            described_by.push_str(&format!("{id}-hint "));
            notes.push_str(&format!(r#"<p class="hint" id="{id}-hint">{hint}</p>"#));
        }
        if let Some(error) = self.error {
            described_by.push_str(&format!("{id}-error "));
            notes.push_str(&format!(
                r#"<p class="error" id="{id}-error" role="alert">{SIGN}<span>{error}</span></p>"#
            ));
        }
        described_by.push_str(self.blamed_by.unwrap_or_default());
        let mut attributes = self.attributes.to_string();
        if self.error.or(self.blamed_by).is_some() {
            attributes.push_str(r#" aria-invalid="true""#);
        }
        if !described_by.is_empty() {
            attributes.push_str(&format!(r#" aria-describedby="{}""#, described_by.trim()));
        }
        if self.has_focus {
            attributes.push_str(" autofocus");
        }
        let value = escape(self.value);
        format!(
            r#"<label for="{id}">{label}</label>
<input id="{id}" name="{id}" value="{value}" {attributes} required>{notes}
"#
        )
    }
}

fn people(ticket: &str, users: &[User]) -> String {
    if users.is_empty() {
        return String::new();
    }
    let mut buttons = String::new();
    for (i, user) in users.iter().enumerate() {
        let id = user
            .user_id
            .as_deref()
            .map(|id| format!("{} · ", escape(id)));
        buttons.push_str(&format!(
            r#"<button class="person" name="action" value="pick_{i}">{face}<span><b>{name}</b> <small>{id}{phone} · password <code>{password}</code></small></span></button>"#,
            face = face(&user.name),
            name = escape(&user.name),
            id = id.unwrap_or_default(),
            phone = phone(&user.phone_number),
            password = escape(user.password.expose()),
        ));
    }
    format!(
        r#"<section class="people" aria-labelledby="people"><h2 id="people">Or pick one of this emulator's people</h2>{}</section>"#,
        form(ticket, &buttons)
    )
}

/// Whose account it is; `action` stands beside it.
fn who(user: Option<&User>, how: &str, action: &str) -> String {
    let (name, number) = user.map_or(("", ""), |user| (&user.name, &user.phone_number));
    format!(
        r#"<div class="who">{face}<div><b>{name}</b> <small>{phone}</small> <small>{how}</small></div>{action}</div>"#,
        face = face(name),
        name = escape(name),
        phone = phone(number),
    )
}

fn face(name: &str) -> String {
    let initials: String = name
        .split_whitespace()
        .filter_map(|word| word.chars().next())
        .take(2)
        .collect();
    format!(
        r#"<span class="face" aria-hidden="true">{}</span>"#,
        escape(&initials)
    )
}

/// A phone number as one reads it, if it is one of North America's.
fn phone(number: &str) -> String {
    let digits = digits(number);
    match (digits.get(..3), digits.get(3..6), digits.get(6..)) {
        (Some(area), Some(office), Some(line)) if line.len() == 4 => {
            format!("{area}-{office}-{line}")
        }
        _ => escape(number),
    }
}

fn form(ticket: &str, fields: &str) -> String {
    // Mistakes are told by the page itself, in its own words, beside the field.
    format!(
        r#"<form method="post" action="/oauth/v4/authorize" novalidate><input type="hidden" name="ticket" value="{ticket}">{fields}</form>"#
    )
}

fn page(status: u16, title: &str, body: &str, random: &mut Random) -> Response {
    let nonce = random.alphanumeric(22);
    page_with(status, title, body, &nonce)
}

fn page_with(status: u16, title: &str, body: &str, nonce: &str) -> Response {
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Gateway emulator</title>
<link rel="icon" href="{ICON}">
<style nonce="{nonce}">{STYLE}</style>
</head>
<body>
<header><p><b>An emulator for development.</b> This is not AT&amp;T, and no password of an AT&amp;T account belongs here.</p></header>
<main><div class="card">
<p class="brand">{MARK}Gateway emulator</p>
{body}
</div></main>
<footer>Stands in for AT&amp;T's gateway on a developer's machine. Real accounts don't work here.</footer>
</body>
</html>
"#
    );
    // No form-action: browsers apply it to the redirects that follow a form, which end at the app.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
    );
    shape::no_store(status)
        .header("content-security-policy", policy)
        .header("x-frame-options", "DENY")
        // With no-referrer a browser would send our own forms with `Origin: null`.
        .header("referrer-policy", "same-origin")
        .body("text/html; charset=utf-8", html)
}

pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
