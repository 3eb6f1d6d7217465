//! Errors as servers report them.

use crate::view::view;

view! {
    /// Why a request failed, the content of an entry without links or etag.
    ///
    /// Source: the recordings `fake_httperror.txt` and `fake_httperror_service_unavail.txt`.
    pub struct HttpErrorResponse = "HttpErrorResponse" in Web {
        "HTTPStatus" value(u16) status set_status;
        /// Path without query.
        "RequestURI" text request_uri set_request_uri;
        /// A sentence or a constant such as `INVALID_URL`, depending on the server's level.
        "ReasonCode" text reason_code set_reason_code;
        /// Holds the message identifiers: `HSCL…`, `REST…`, `VIOS…`, `PVME…`.
        "Message" text message set_message;
        "RequestBody" text request_body set_request_body;
        /// `{name=value, name=value}`, the session masked.
        "RequestHeaders" text request_headers set_request_headers;
        "InternalError" text internal_error set_internal_error;
        "Stacktrace" text stacktrace set_stacktrace;
    }
}
