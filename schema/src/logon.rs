//! Logon: the only exchange without an Atom envelope.

use crate::view::view;

view! {
    /// Asks for a session: with a password, or for a token in a file that only local administrators can read.
    ///
    /// Its debug output masks the password.
    pub struct LogonRequest = "LogonRequest" in Web {
        "UserID" text user_id set_user_id;
        "Password" text password set_password;
        /// Asks for the token in a file; NovaLink only.
        "GenerateX-API-SessionFile" value(bool) generate_session_file set_generate_session_file;
    }
}

view! {
    /// The answer: the token, or the path of the file that it is in.
    ///
    /// Its debug output masks the token.
    pub struct LogonResponse = "LogonResponse" in Web {
        "X-API-Session" text session set_session;
        "X-API-SessionFile" text session_file set_session_file;
    }
}
