//! One error type, one spelling per code.

use alloc::borrow::Cow;
use alloc::rc::Rc;
use alloc::string::String;
use core::ops::Deref;

use super::text;

/// A result of anything in this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What went wrong, as a program reads it: the `code` of `AttOAuthError`. A closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, for tests and tables.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The spelling in JavaScript.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

error_codes! {
    /// A request was given up by its `AbortSignal`.
    Aborted = "aborted",
    /// The user, or AT&T for them, said no (`error=access_denied` in the redirect).
    AccessDenied = "access_denied",
    /// The authorization endpoint answered with another error; `error` has it.
    AuthorizationFailed = "authorization_failed",
    /// The relay holds sessions in a cookie that this browser does not send across sites.
    CustodyMismatch = "custody_mismatch",
    /// The object was disposed of.
    Disposed = "disposed",
    /// A defect of this library: the page should be reloaded.
    Internal = "internal",
    /// The redirect's answer is not one that this sign-in may accept; nothing was changed.
    InvalidAnswer = "invalid_answer",
    /// An option or argument is wrong; the message names it.
    InvalidOption = "invalid_option",
    /// A server's reply can't be read.
    InvalidResponse = "invalid_response",
    /// There is no session, or it has ended: the user must sign in.
    LoginRequired = "login_required",
    /// The server couldn't be reached.
    Network = "network",
    /// The module was used before `init()` finished.
    NotInitialized = "not_initialized",
    /// The browser lets no pop-up open.
    PopupBlocked = "popup_blocked",
    /// The server refused the request; `error` and `errorDescription` have its words.
    RequestRefused = "request_refused",
    /// Another sign-in in this browser has taken this page's place.
    SessionMismatch = "session_mismatch",
    /// The storage refused to read or write.
    Storage = "storage",
    /// The server is overloaded or out of order; try again later.
    TemporarilyUnavailable = "temporarily_unavailable",
    /// The server took longer than `timeoutMs`.
    Timeout = "timeout",
    /// The flow in use has no such thing.
    Unsupported = "unsupported",
}

impl ErrorCode {
    /// Whether the same call may succeed later with nothing changed.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Network | Self::Timeout | Self::TemporarilyUnavailable
        )
    }
}

macro_rules! reasons {
    ($($name:ident = $code:ident, $text:literal;)*) => {
        /// Why, as a developer reads it: a code has several. To JavaScript they go by their numbers; the texts are in
        /// messages.js.
        #[allow(missing_docs, reason = "each has its text")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Reason { $($name,)* }

        impl Reason {
            /// Each by its number.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            const fn code(self) -> ErrorCode {
                match self { $(Self::$name => ErrorCode::$code,)* }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    NoNetwork = Network, "the server can't be reached";
    TooSlow = Timeout, "it took too long";
    GivenUp = Aborted, "the call was given up";
    StorageRefused = Storage, "the storage refused";
    NobodySignedIn = LoginRequired, "nobody is signed in";
    SessionEnded = LoginRequired, "the session has ended";
    SignInFailed = LoginRequired, "the sign-in failed";
    Displaced = SessionMismatch, "another sign-in has taken this page's place";
    OtherSite = CustodyMismatch, "the relay's cookie isn't sent across sites";
    Unavailable = TemporarilyUnavailable, "the server can't answer now";
    Refused = RequestRefused, "the server refused the request";
    OddStatus = InvalidResponse, "the server's status is odd";
    NoToken = InvalidResponse, "the reply has no good bearer token";
    Denied = AccessDenied, "access was denied";
    NotAuthorized = AuthorizationFailed, "the sign-in failed";
    NoSignIn = InvalidAnswer, "the redirect answers no sign-in of this tab";
    OtherState = InvalidAnswer, "the redirect's state is another";
    OtherIssuer = InvalidAnswer, "the redirect is another issuer's";
    OtherKind = InvalidAnswer, "the redirect is another kind of answer";
    TwoAnswers = InvalidAnswer, "the redirect has something twice";
    NoRelay = Unsupported, "API calls and app tokens need a relay";
    NoEndpoint = Unsupported, "no endpoint for this";
    ReturnTo = InvalidOption, "returnTo must be a path of this app, like \"/inbox\"";
}

/// An error, before it becomes JavaScript's `AttOAuthError`. Counted, so that the results that most calls
/// give stay small and are shared for nothing: half of the client's code would do nothing but move them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Rc<Details>);

/// What an [`Error`] consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What a program switches on.
    pub code: ErrorCode,
    said: Said,
    /// The server's `error` member (RFC 6749, 4.1.2.1 and 5.2), if it gave one.
    pub error: Option<String>,
    /// The server's `error_description`.
    pub error_description: Option<String>,
    /// The HTTP status, if there was a response.
    pub status: Option<u16>,
    /// What a host's library has thrown.
    #[cfg(feature = "gloo")]
    source: Option<Source>,
}

/// An error of a library's, which is equal to itself alone.
#[cfg(feature = "gloo")]
#[derive(Clone, Debug)]
struct Source(Rc<dyn core::error::Error>);

#[cfg(feature = "gloo")]
impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(feature = "gloo")]
impl Eq for Source {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    Reason(Reason),
    Text(Cow<'static, str>),
}

impl Details {
    /// What a developer reads.
    pub fn message(&self) -> &str {
        match &self.said {
            Said::Reason(reason) => reason.text(),
            Said::Text(text) => text,
        }
    }

    /// Why, if it is one of ours.
    pub(crate) const fn reason(&self) -> Option<Reason> {
        match self.said {
            Said::Reason(reason) => Some(reason),
            Said::Text(_) => None,
        }
    }
}

impl From<Reason> for Error {
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self::answered(reason, None, "", "")
    }
}

impl Error {
    /// An error of ours, in words of its own.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Rc::new(Details {
            code,
            said: Said::Text(message.into()),
            error: None,
            error_description: None,
            status: None,
            #[cfg(feature = "gloo")]
            source: None,
        }))
    }

    /// One that a server's answer tells of, which had that HTTP status, if it was a response, and these words of its
    /// own, of which empty ones are none.
    pub(crate) fn answered(
        reason: Reason,
        status: Option<u16>,
        error: &str,
        description: &str,
    ) -> Self {
        Self(Rc::new(Details {
            code: reason.code(),
            said: Said::Reason(reason),
            error: some(error),
            error_description: some(description),
            status,
            #[cfg(feature = "gloo")]
            source: None,
        }))
    }

    /// The same for another reason. For one that nobody shares yet.
    pub(crate) fn because(mut self, reason: Reason) -> Self {
        if let Some(details) = Rc::get_mut(&mut self.0) {
            details.said = Said::Reason(reason);
        }
        self
    }

    /// Whether the same call may succeed later, or was only given up.
    pub fn is_passing(&self) -> bool {
        self.code.is_retryable() || self.code == ErrorCode::Aborted
    }

    /// The same with the HTTP status it came with. For one that nobody shares yet.
    pub fn with_status(mut self, status: u16) -> Self {
        if let Some(details) = Rc::get_mut(&mut self.0) {
            details.status = Some(status);
        }
        self
    }

    /// The same with the server's own words, of which empty ones are none. For one that nobody shares yet.
    pub fn with_oauth(mut self, error: &str, description: &str) -> Self {
        if let Some(details) = Rc::get_mut(&mut self.0) {
            details.error = some(error);
            details.error_description = some(description);
        }
        self
    }

    /// The same with what was thrown. For one that nobody shares yet.
    #[cfg(feature = "gloo")]
    pub fn with_source(mut self, source: impl core::error::Error + 'static) -> Self {
        if let Some(details) = Rc::get_mut(&mut self.0) {
            details.source = Some(Source(Rc::new(source)));
        }
        self
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text::joined(&[text]))
}

impl Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code.as_str())?;
        f.write_str(": ")?;
        f.write_str(self.message())?;
        match (&self.error, &self.error_description) {
            (Some(error), Some(description)) => write!(f, " ({error}: {description})"),
            (Some(error), None) => write!(f, " ({error})"),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for Error {
    #[cfg(feature = "gloo")]
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.source.as_ref().map(|source| &*source.0)
    }
}
