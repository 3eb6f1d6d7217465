//! Python's side: the module `nova.virt.powervm._native`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use powervm_driver::operations::PlugEvents;
use powervm_driver::storage::capture::CaptureTarget;
use powervm_driver::storage::image::Feed;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyString};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::feed::{self, Download, Put};
use crate::host::Host;
use crate::log::Log;
use crate::operations::Along;
use crate::outlet::{self, Outlet};
use crate::plugs::{self, Plugs};
use crate::settings::{self, Settings};
use crate::trouble::Trouble;

create_exception!(
    _native,
    Trouble_,
    PyException,
    "A call of the driver that failed; its argument is a JSON object with kind, message, status and left_behind."
);

/// How often a thread that waits looks for signals of its process.
const LOOK: Duration = Duration::from_millis(200);

impl From<Trouble> for PyErr {
    fn from(trouble: Trouble) -> Self {
        Trouble_::new_err(trouble.to_json())
    }
}

/// What the calls of all kinds can do.
trait Pending: Send + Sync {
    fn wait(&self, patience: Duration) -> bool;
    fn bell(&self) -> std::io::Result<i32>;
    fn cancel(&self);
    fn take(&self, py: Python<'_>) -> Option<PyResult<Py<PyAny>>>;
}

struct Turned<T, F> {
    call: Call<T>,
    turn: F,
}

impl<T, F> Pending for Turned<T, F>
where
    T: Send + 'static,
    F: Fn(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + Sync,
{
    fn wait(&self, patience: Duration) -> bool {
        self.call.wait(patience)
    }

    fn bell(&self) -> std::io::Result<i32> {
        self.call.bell()
    }

    fn cancel(&self) {
        self.call.cancel();
    }

    fn take(&self, py: Python<'_>) -> Option<PyResult<Py<PyAny>>> {
        let result = self.call.take()?;
        Some(match result {
            Ok(value) => (self.turn)(py, value),
            Err(trouble) => Err(trouble.into()),
        })
    }
}

/// A call that runs.
#[pyclass(frozen, name = "Call")]
struct PyCall(Box<dyn Pending>);

impl PyCall {
    fn new<T, F>(call: Call<T>, turn: F) -> Self
    where
        T: Send + 'static,
        F: Fn(Python<'_>, T) -> PyResult<Py<PyAny>> + Send + Sync + 'static,
    {
        Self(Box::new(Turned { call, turn }))
    }

    fn telling(call: Call<Value>) -> Self {
        Self::new(call, |py, value| {
            Ok(PyString::new(py, &value.to_string()).into_any().unbind())
        })
    }
}

#[pymethods]
impl PyCall {
    /// Waits for the end without holding the interpreter. An interrupt of the process cancels the call, and is raised
    /// when the call has undone what it did.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        let mut interrupt = None;
        while !py.detach(|| self.0.wait(LOOK)) {
            if let Err(error) = py.check_signals() {
                self.0.cancel();
                interrupt.get_or_insert(error);
            }
        }
        interrupt.map_or(Ok(()), Err)
    }

    /// A file descriptor that is readable once the call is over.
    fn fileno(&self) -> PyResult<i32> {
        Ok(self.0.bell()?)
    }

    /// What came of it.
    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.0.take(py) {
            Some(result) => result,
            None => {
                Err(Trouble::internal("a call's result was taken before its end, or twice").into())
            }
        }
    }

    /// Asks it to end.
    fn cancel(&self) {
        self.0.cancel();
    }
}

/// An image's way from a download to an upload.
#[pyclass(frozen, name = "Pipe")]
struct PyPipe {
    pipe: Arc<feed::Pipe>,
    /// Handed to one operation.
    feed: Mutex<Option<Arc<dyn Feed>>>,
}

#[pymethods]
impl PyPipe {
    #[new]
    fn new() -> Self {
        let (pipe, feed) = feed::pipe();
        Self {
            pipe: Arc::new(pipe),
            feed: Mutex::new(Some(feed)),
        }
    }

    /// A call that tells whether the image is wanted: true for each time that it is, false once the operation is over.
    fn wanted(&self) -> PyResult<PyCall> {
        let pipe = Arc::clone(&self.pipe);
        let call = self.pipe.wanted()?;
        Ok(PyCall::new(call, move |py, wish: Option<Download>| {
            let is_wanted = wish.is_some();
            if let Some(download) = wish {
                pipe.begin(download);
            }
            truth(py, is_wanted)
        }))
    }

    /// Puts a block: whether more is wanted, or a call that tells it when there is room.
    fn put(&self, py: Python<'_>, block: &Bound<'_, PyBytes>) -> PyResult<Py<PyAny>> {
        match self.pipe.put(Bytes::copy_from_slice(block.as_bytes()))? {
            Put::Done(more) => truth(py, more),
            Put::Later(call) => Ok(Py::new(py, PyCall::new(call, truth))?.into_any()),
        }
    }

    /// The image is complete, or its download failed.
    #[pyo3(signature = (failure=None))]
    fn end(&self, failure: Option<String>) -> PyResult<()> {
        Ok(self.pipe.end(failure)?)
    }

    /// The operation will not begin.
    fn close(&self) {
        self.take();
    }
}

impl PyPipe {
    fn take(&self) -> Option<Arc<dyn Feed>> {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        feed.take()
    }
}

/// An image's way from a disk to the image service.
#[pyclass(frozen, name = "Outlet")]
struct PyOutlet {
    outlet: Outlet,
    /// Handed to one operation.
    target: Mutex<Option<CaptureTarget>>,
}

#[pymethods]
impl PyOutlet {
    #[new]
    fn new() -> Self {
        let (outlet, target) = outlet::outlet();
        Self {
            outlet,
            target: Mutex::new(Some(target)),
        }
    }

    /// A call that tells the next block; nothing at the end.
    fn next(&self) -> PyResult<PyCall> {
        Ok(PyCall::new(
            self.outlet.next()?,
            |py, block: Option<Bytes>| {
                Ok(match block {
                    Some(block) => PyBytes::new(py, &block).into_any().unbind(),
                    None => py.None(),
                })
            },
        ))
    }

    /// Whether the image service took it.
    fn done(&self, is_taken: bool) {
        self.outlet.done(is_taken);
    }

    /// The operation will not begin.
    fn close(&self) {
        self.take();
    }
}

impl PyOutlet {
    fn take(&self) -> Option<CaptureTarget> {
        self.target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// What Neutron says of ports, on its way to an operation that waits for it.
#[pyclass(frozen, name = "Plugs")]
struct PyPlugs {
    plugs: Plugs,
    /// Handed to one operation.
    ears: Mutex<Option<Arc<dyn PlugEvents>>>,
}

#[pymethods]
impl PyPlugs {
    /// Of the ports with these identifiers.
    #[new]
    fn new(ports: Vec<String>) -> Self {
        let (plugs, ears) = plugs::plugs(ports);
        Self {
            plugs,
            ears: Mutex::new(Some(ears)),
        }
    }

    /// A call that tells whether the operation waits (true), or is over without that.
    fn waiting(&self) -> PyResult<PyCall> {
        Ok(PyCall::new(self.plugs.waiting()?, truth))
    }

    /// The ports are connected; or why they are not.
    #[pyo3(signature = (failure=None))]
    fn done(&self, failure: Option<String>) {
        self.plugs.done(failure);
    }

    /// The operation will not begin.
    fn close(&self) {
        self.take();
    }
}

impl PyPlugs {
    fn take(&self) -> Option<Arc<dyn PlugEvents>> {
        let mut ears = self.ears.lock().unwrap_or_else(PoisonError::into_inner);
        ears.take()
    }
}

/// A connection to a host.
#[pyclass(frozen, name = "Host")]
struct PyHost(Host);

#[pymethods]
impl PyHost {
    /// Begins an operation with a request in JSON; the call tells its result in JSON.
    #[pyo3(signature = (operation, request, number, pipe=None, outlet=None, plugs=None))]
    fn start(
        &self,
        operation: &str,
        request: &str,
        number: u64,
        pipe: Option<&PyPipe>,
        outlet: Option<&PyOutlet>,
        plugs: Option<&PyPlugs>,
    ) -> PyResult<PyCall> {
        let along = Along {
            feed: pipe.and_then(PyPipe::take),
            target: outlet.and_then(PyOutlet::take),
            plugs: plugs.and_then(PyPlugs::take),
        };
        let call = self.0.start(operation, request, number, along)?;
        Ok(PyCall::telling(call))
    }

    /// Serves consoles at this address; the call tells the port.
    fn serve_consoles(&self, address: &str) -> PyResult<PyCall> {
        Ok(PyCall::telling(self.0.serve_consoles(address)?))
    }

    /// A call that tells the next thing that a server did by itself.
    fn event(&self) -> PyResult<PyCall> {
        Ok(PyCall::telling(self.0.event()?))
    }

    /// Cancels all calls and logs off.
    fn close(&self) -> PyResult<PyCall> {
        Ok(PyCall::telling(self.0.close()?))
    }
}

/// The log of this library.
#[pyclass(frozen, name = "Log")]
struct PyLog {
    log: Arc<Log>,
    stop: CancellationToken,
}

#[pymethods]
impl PyLog {
    /// Takes what is logged at this level and above, as Python's logging counts.
    #[new]
    fn new(least: u8) -> Self {
        Self {
            log: Log::listen(least),
            stop: CancellationToken::new(),
        }
    }

    /// A call that tells the next records; none once the log was closed.
    fn records(&self) -> PyResult<PyCall> {
        Ok(PyCall::telling(self.log.records(&self.stop)?))
    }

    /// Ends the calls for records.
    fn close(&self) {
        self.stop.cancel();
    }
}

/// Logs on to a host with settings in JSON.
#[pyfunction]
fn connect(settings: &str) -> PyResult<PyCall> {
    let call = Host::connect(Settings::parse(settings)?)?;
    Ok(PyCall::new(call, |py, host| {
        Ok(Py::new(py, PyHost(host))?.into_any())
    }))
}

/// The driver's own options, in JSON.
#[pyfunction]
fn keys() -> String {
    settings::keys().to_string()
}

fn truth(py: Python<'_>, is_so: bool) -> PyResult<Py<PyAny>> {
    Ok(PyBool::new(py, is_so).to_owned().into_any().unbind())
}

/// The module.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyCall>()?;
    module.add_class::<PyPipe>()?;
    module.add_class::<PyHost>()?;
    module.add_class::<PyOutlet>()?;
    module.add_class::<PyPlugs>()?;
    module.add_class::<PyLog>()?;
    module.add_function(wrap_pyfunction!(connect, module)?)?;
    module.add_function(wrap_pyfunction!(keys, module)?)?;
    module.add("Trouble", module.py().get_type::<Trouble_>())
}
