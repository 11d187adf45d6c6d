//! Planner support: what a support function is asked, and the expressions that it answers with.

mod estimation;

use std::ffi::CString;
use std::ptr::{self, NonNull};

use pgrx::datum::IntoDatum;
use pgrx::pg_sys;

use super::call::Raw;
use super::varlena::Bytes;

pub use self::estimation::Estimation;

/// A node of the planner: an expression, a list or a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node(NonNull<pg_sys::Node>);

impl Node {
    /// Wraps a pointer that PostgreSQL says is a node; `None` when it is null.
    pub fn from_pointer(pointer: *mut pg_sys::Node) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// The node as the type that the tag stands for.
    fn cast<T>(self, tag: pg_sys::NodeTag) -> Option<&'static T> {
        // SAFETY: every node begins with its tag; the planner's memory outlives the call, in which
        // the reference stays.
        unsafe { (self.0.as_ref().type_ == tag).then(|| self.0.cast().as_ref()) }
    }

    /// The value of a constant: `None` when it isn't one, `Some(None)` for NULL.
    fn constant(self) -> Option<Option<pg_sys::Datum>> {
        let constant: &pg_sys::Const = self.cast(pg_sys::NodeTag::T_Const)?;
        Some((!constant.constisnull).then_some(constant.constvalue))
    }

    /// Whether it is a constant.
    pub fn is_constant(self) -> bool {
        self.constant().is_some()
    }

    /// The bytes of a constant of variable length: `None` when it isn't one, `Some(None)` for NULL.
    pub fn constant_bytes(self) -> Option<Option<Bytes<'static>>> {
        // SAFETY: not null, and the caller's type; constants live as long as the planner works.
        self.constant()
            .map(|value| value.map(|datum| unsafe { Bytes::new(datum) }))
    }

    /// The value of a boolean constant: `None` when it isn't one, `Some(None)` for NULL.
    pub fn constant_boolean(self) -> Option<Option<bool>> {
        self.constant()
            .map(|value| value.map(|datum| datum.value() != 0))
    }

    /// Whether it is a column of a table of the query itself: cheap to ask for more than once.
    pub fn is_column(self) -> bool {
        self.cast::<pg_sys::Var>(pg_sys::NodeTag::T_Var)
            .is_some_and(|column| column.varlevelsup == 0)
    }

    /// The arguments of a function or an operator, or the members of a list.
    pub fn members(self) -> Vec<Self> {
        let list = if let Some(call) = self.cast::<pg_sys::FuncExpr>(pg_sys::NodeTag::T_FuncExpr) {
            call.args
        } else if let Some(call) = self.cast::<pg_sys::OpExpr>(pg_sys::NodeTag::T_OpExpr) {
            call.args
        } else if self.cast::<pg_sys::List>(pg_sys::NodeTag::T_List).is_some() {
            self.0.as_ptr().cast()
        } else {
            ptr::null_mut()
        };
        members(list)
    }

    /// A copy of its own, to stand at another place in a tree.
    fn copy(self) -> *mut pg_sys::Node {
        // SAFETY: any node can be copied.
        unsafe { pg_sys::copyObjectImpl(self.0.as_ptr().cast()).cast() }
    }

    /// The expression as the answer to a request to simplify.
    pub fn into_raw(self) -> Raw {
        Raw(pg_sys::Datum::from(self.0.as_ptr()))
    }

    fn type_oid(self) -> pg_sys::Oid {
        // SAFETY: an expression.
        unsafe { pg_sys::exprType(self.0.as_ptr()) }
    }
}

fn members(list: *mut pg_sys::List) -> Vec<Node> {
    // SAFETY: null or a list of nodes, which has as many elements as it says.
    unsafe {
        let Some(list) = list.as_ref() else {
            return Vec::new();
        };
        let count = usize::try_from(list.length).unwrap_or_default();
        (0..count)
            .filter_map(|index| Node::from_pointer((*list.elements.add(index)).ptr_value.cast()))
            .collect()
    }
}

fn list(nodes: impl IntoIterator<Item = Node>) -> *mut pg_sys::List {
    // SAFETY: a null list is an empty one.
    nodes
        .into_iter()
        .fold(ptr::null_mut(), |list, node| unsafe {
            pg_sys::lappend(list, node.0.as_ptr().cast())
        })
}

/// What the planner asks a support function.
#[derive(Debug)]
pub enum Request {
    /// Which conditions an index can take instead of the clause.
    IndexCondition(IndexCondition),
    /// Which share of the rows the clause lets through.
    Selectivity(Selectivity),
    /// Whether there is another expression with the same value.
    Simplify(Simplify),
}

impl Request {
    /// The request, if it is one that is known here.
    pub fn of(node: Node) -> Option<Self> {
        // SAFETY: the tag tells which request it is; it is valid until the support function returns.
        unsafe {
            match node.0.as_ref().type_ {
                pg_sys::NodeTag::T_SupportRequestIndexCondition => {
                    Some(Self::IndexCondition(IndexCondition(node.0.cast())))
                }
                pg_sys::NodeTag::T_SupportRequestSelectivity => {
                    Some(Self::Selectivity(Selectivity(node.0.cast())))
                }
                pg_sys::NodeTag::T_SupportRequestSimplify => {
                    Some(Self::Simplify(Simplify(node.0.cast())))
                }
                _ => None,
            }
        }
    }
}

/// A request for index conditions.
#[derive(Debug)]
pub struct IndexCondition(NonNull<pg_sys::SupportRequestIndexCondition>);

impl IndexCondition {
    fn raw(&self) -> &pg_sys::SupportRequestIndexCondition {
        // SAFETY: valid while the support function runs.
        unsafe { self.0.as_ref() }
    }

    /// The arguments of the clause.
    pub fn arguments(&self) -> Vec<Node> {
        Node::from_pointer(self.raw().node).map_or_else(Vec::new, Node::members)
    }

    /// Which argument is the indexed one.
    pub fn indexed_argument(&self) -> usize {
        usize::try_from(self.raw().indexarg).unwrap_or(usize::MAX)
    }

    /// Whether the index is a btree that orders as the comparisons do.
    pub fn is_ordered_by(&self, comparisons: &Comparisons) -> bool {
        // SAFETY: the planner passes the index.
        let method = unsafe { (*self.raw().index).relam };
        method == pg_sys::BTREE_AM_OID && self.raw().opfamily == comparisons.family
    }

    /// Whether the expression has one value for a whole scan of the index.
    pub fn is_fixed(&self, expression: Node) -> bool {
        let raw = self.raw();
        // SAFETY: an expression of the clause.
        unsafe { pg_sys::is_pseudo_constant_for_index(raw.root, expression.copy(), raw.index) }
    }

    /// The function of that name in the same schema.
    pub fn sibling(&self, name: &str, arguments: &[pg_sys::Oid]) -> Option<pg_sys::Oid> {
        sibling(self.raw().funcid, name, arguments)
    }

    /// Answers with conditions that hold wherever the clause does; the clause is checked too.
    pub fn answer(mut self, conditions: Vec<Node>) -> Raw {
        // SAFETY: as above; the answer is a list of expressions.
        unsafe { self.0.as_mut().lossy = true };
        Raw(pg_sys::Datum::from(list(conditions)))
    }
}

/// A request for a selectivity.
#[derive(Debug)]
pub struct Selectivity(NonNull<pg_sys::SupportRequestSelectivity>);

impl Selectivity {
    /// What to estimate with, and the arguments of the clause; `None` for a join clause.
    pub fn estimation(&self) -> Option<(Estimation, Vec<Node>)> {
        // SAFETY: valid while the support function runs.
        let raw = unsafe { self.0.as_ref() };
        let estimation = Estimation::new(raw.root, raw.varRelid);
        (!raw.is_join).then(|| (estimation, members(raw.args)))
    }

    /// Answers with a share between 0 and 1.
    pub fn answer(mut self, selectivity: f64) -> Raw {
        // SAFETY: as above; the answer is the request itself.
        unsafe { self.0.as_mut().selectivity = selectivity.clamp(0.0, 1.0) };
        Raw(pg_sys::Datum::from(self.0.as_ptr()))
    }
}

/// A request for a simpler expression.
#[derive(Debug)]
pub struct Simplify(NonNull<pg_sys::SupportRequestSimplify>);

impl Simplify {
    fn raw(&self) -> &pg_sys::SupportRequestSimplify {
        // SAFETY: valid while the support function runs.
        unsafe { self.0.as_ref() }
    }

    /// The arguments of the call.
    pub fn arguments(&self) -> Vec<Node> {
        // SAFETY: the planner passes the call.
        members(unsafe { (*self.raw().fcall).args })
    }

    /// The function of that name in the same schema.
    pub fn sibling(&self, name: &str, arguments: &[pg_sys::Oid]) -> Option<pg_sys::Oid> {
        // SAFETY: the planner passes the call.
        sibling(unsafe { (*self.raw().fcall).funcid }, name, arguments)
    }
}

/// How one value compares with another: the strategies of a btree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less = 1,
    /// `<=`
    LessOrEqual = 2,
    /// `=`
    Equal = 3,
    /// `>=`
    GreaterOrEqual = 4,
    /// `>`
    Greater = 5,
}

/// The comparisons of a type, as its default btree operator class has them.
#[derive(Debug, Clone, Copy)]
pub struct Comparisons {
    kind: pg_sys::Oid,
    family: pg_sys::Oid,
}

impl Comparisons {
    /// Those of the expression's type.
    pub fn of(expression: Node) -> Self {
        let kind = expression.type_oid();
        // SAFETY: the type exists; the entry is never null.
        let family = unsafe {
            (*pg_sys::lookup_type_cache(kind, pg_sys::TYPECACHE_BTREE_OPFAMILY as i32)).btree_opf
        };
        Self { kind, family }
    }

    /// The type that is compared.
    pub fn kind(&self) -> pg_sys::Oid {
        self.kind
    }

    /// A constant of the type.
    pub fn constant(&self, bytes: &[u8]) -> Option<Node> {
        let value = bytes.into_datum()?;
        // SAFETY: a varlena of the type that the bytes are of, which has no collation.
        let node = unsafe {
            pg_sys::makeConst(self.kind, -1, pg_sys::InvalidOid, -1, value, false, false)
        };
        Node::from_pointer(node.cast())
    }

    /// The condition that compares two expressions of the type.
    pub fn compare(&self, left: Node, comparison: Comparison, right: Node) -> Option<Node> {
        // SAFETY: catalog look-ups, and nodes of the types that the operator takes.
        unsafe {
            let operator =
                pg_sys::get_opfamily_member(self.family, self.kind, self.kind, comparison as i16);
            if operator == pg_sys::InvalidOid {
                return None;
            }
            let clause = pg_sys::make_opclause(
                operator,
                pg_sys::BOOLOID,
                false,
                left.copy().cast(),
                right.copy().cast(),
                pg_sys::InvalidOid,
                pg_sys::InvalidOid,
            );
            pg_sys::set_opfuncid(clause.cast());
            Node::from_pointer(clause.cast())
        }
    }
}

/// A boolean constant.
pub fn boolean(value: bool) -> Option<Node> {
    // SAFETY: makes a node out of nothing.
    Node::from_pointer(unsafe { pg_sys::makeBoolConst(value, false) })
}

/// A call of a function.
pub fn call(function: pg_sys::Oid, result: pg_sys::Oid, arguments: &[Node]) -> Option<Node> {
    let arguments = arguments
        .iter()
        .filter_map(|node| Node::from_pointer(node.copy()));
    // SAFETY: the function exists, takes these arguments and has no collation.
    let node = unsafe {
        pg_sys::makeFuncExpr(
            function,
            result,
            list(arguments),
            pg_sys::InvalidOid,
            pg_sys::InvalidOid,
            pg_sys::CoercionForm::COERCE_EXPLICIT_CALL,
        )
    };
    Node::from_pointer(node.cast())
}

/// The conjunction of conditions; a single one stays as it is.
pub fn all_of(conditions: Vec<Node>) -> Option<Node> {
    match conditions.as_slice() {
        [single] => Some(*single),
        // SAFETY: a list of conditions.
        _ => Node::from_pointer(unsafe { pg_sys::make_andclause(list(conditions)) }.cast()),
    }
}

/// The disjunction of conditions; a single one stays as it is.
pub fn any_of(conditions: Vec<Node>) -> Option<Node> {
    match conditions.as_slice() {
        [single] => Some(*single),
        // SAFETY: a list of conditions.
        _ => Node::from_pointer(unsafe { pg_sys::make_orclause(list(conditions)) }.cast()),
    }
}

/// The function of that name and with these arguments in the schema of another one.
fn sibling(function: pg_sys::Oid, name: &str, arguments: &[pg_sys::Oid]) -> Option<pg_sys::Oid> {
    let name = CString::new(name).ok()?;
    let count = i32::try_from(arguments.len()).ok()?;
    // SAFETY: catalog look-ups that answer InvalidOid when there is nothing.
    let found = unsafe {
        let arguments = pg_sys::buildoidvector(arguments.as_ptr(), count);
        pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::PROCNAMEARGSNSP as i32,
            pg_sys::Anum_pg_proc_oid as pg_sys::AttrNumber,
            pg_sys::Datum::from(name.as_ptr()),
            pg_sys::Datum::from(arguments),
            pg_sys::Datum::from(pg_sys::get_func_namespace(function)),
            pg_sys::Datum::null(),
        )
    };
    (found != pg_sys::InvalidOid).then_some(found)
}
