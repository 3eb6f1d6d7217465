//! Counts what a driver sends, whatever the endpoint: every request by its record, image uploads by what they declare.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use powervm_driver::rest::{
    Body, CallObserver, CallRecord, Transport, TransportError, TransportFailure,
};

use super::Meter;

/// The largest `File` document that is looked into; real ones have a few kilobytes.
const LARGEST_FILE_DOCUMENT: usize = 1 << 20;

/// How a `File` document says that it is for the content of a disk.
const DISK_IMAGE: &[u8] = b"BROKERED_DISK_IMAGE";

impl CallObserver for Meter {
    fn called(&self, record: &CallRecord) {
        self.request(record.method.as_str(), &record.path);
        if let Some(watch) = self.watch() {
            watch.called(record);
        }
    }
}

/// A transport that tells image uploads from other uploads.
///
/// What kind of upload it is stands in the `File` document that is created before the content is sent
/// (`FileEnumType`); the content itself looks the same.
pub struct MeteredTransport {
    inner: Arc<dyn Transport>,
    meter: Arc<Meter>,
}

impl MeteredTransport {
    /// Counts what goes through `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

impl Transport for MeteredTransport {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let creates_file =
                request.method() == Method::PUT && request.uri().path().ends_with("/web/File");
            if !creates_file {
                return self.inner.call(request).await;
            }
            let (parts, body) = request.into_parts();
            let document = Limited::new(body, LARGEST_FILE_DOCUMENT)
                .collect()
                .await
                .map_err(|error| TransportError::new(TransportFailure::Connect, error))?
                .to_bytes();
            if document
                .windows(DISK_IMAGE.len())
                .any(|window| window == DISK_IMAGE)
            {
                self.meter.image_upload();
            }
            self.inner
                .call(Request::from_parts(parts, Body::whole(document)))
                .await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::future::BoxFuture;
    use http::{Request, Response};
    use http_body_util::BodyExt;
    use powervm_driver::rest::{Body, Transport, TransportError};

    use super::MeteredTransport;
    use crate::target::Meter;

    #[derive(Default)]
    struct Sink(Mutex<Vec<usize>>);

    impl Transport for Sink {
        fn call(
            &self,
            request: Request<Body>,
        ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
            Box::pin(async move {
                let bytes = request
                    .into_body()
                    .collect()
                    .await
                    .expect("a body")
                    .to_bytes();
                self.0.lock().expect("sizes").push(bytes.len());
                Ok(Response::new(Body::empty()))
            })
        }
    }

    #[tokio::test]
    async fn image_uploads_are_told_from_others_and_sent_unchanged() {
        let (sink, meter) = (Arc::new(Sink::default()), Arc::new(Meter::default()));
        let transport =
            MeteredTransport::new(Arc::clone(&sink) as Arc<dyn Transport>, Arc::clone(&meter));
        let bodies = [
            "<File><FileEnumType>BROKERED_DISK_IMAGE</FileEnumType></File>",
            "<File><FileEnumType>BROKERED_MEDIA_ISO</FileEnumType></File>",
        ];
        for body in bodies {
            let request = Request::put("http://h/rest/api/web/File")
                .body(Body::whole(body))
                .expect("a request");
            transport.call(request).await.expect("an answer");
        }
        let content = Request::put("http://h/rest/api/web/File/contents/x")
            .body(Body::whole("BROKERED_DISK_IMAGE"));
        transport
            .call(content.expect("a request"))
            .await
            .expect("an answer");
        assert_eq!(meter.read().image_uploads, 1);
        assert_eq!(
            *sink.0.lock().expect("sizes"),
            [bodies[0].len(), bodies[1].len(), 19]
        );
    }
}
