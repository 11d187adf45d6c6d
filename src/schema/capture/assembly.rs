//! Putting what the queries return together: by OID, for names may be anything.

use std::collections::{BTreeMap, HashMap};

use pgrx::pg_sys;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use versioning_core::catalog::Schema;
use versioning_core::catalog::acl::{Untouched, grants};
use versioning_core::catalog::model::{FORMAT, Named, Relation, RelationKind, TypeKind};

use super::super::store::capture::{Comment, Described};
use super::properties::{from_properties, insert, properties};
use super::text;
use crate::error::Result;

// Catalogs have the same OIDs in every database; these are not among the bindings.
const PG_REWRITE: u32 = 2618;
const PG_TRIGGER: u32 = 2620;
const PG_POLICY: u32 = 3256;

/// Where a relation or type is: its schema's OID and its name.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) schema: u32,
    pub(super) name: String,
}

/// The models as far as they are known.
pub struct Assembly {
    pub(super) models: BTreeMap<u32, (String, Schema)>,
    pub(super) relations: HashMap<u32, Place>,
    pub(super) types: HashMap<u32, Place>,
    /// The collations of columns, by relation and number.
    pub(super) collations: HashMap<(u32, i32), u32>,
    comments: HashMap<(u32, u32, i32), String>,
    qualified: bool,
}

/// Whether its columns have no way of being stored.
pub fn stores_nothing(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::View | RelationKind::CompositeType
    )
}

/// Whether it is a view that rows can be written through and that may have columns of its own making:
/// those are printed with a name.
pub fn may_compute(relation: &Relation) -> bool {
    let names_one = |definition: &String| definition.contains(" AS ");
    relation.updatable && relation.definition.as_ref().is_some_and(names_one)
}

impl Assembly {
    /// Nothing but comments, which find their objects as these come.
    pub fn new(comments: Vec<Comment>, qualified: bool) -> Self {
        Self {
            models: BTreeMap::new(),
            relations: HashMap::new(),
            types: HashMap::new(),
            collations: HashMap::new(),
            comments: comments
                .into_iter()
                .map(|comment| (comment.on, comment.text))
                .collect(),
            qualified,
        }
    }

    /// The models by name.
    pub fn finished(self) -> BTreeMap<String, Schema> {
        self.models.into_values().collect()
    }

    /// The OIDs of the schemas.
    pub fn schemas(&self) -> impl Iterator<Item = u32> + '_ {
        self.models.keys().copied()
    }

    /// The OIDs of the relations that are wanted.
    pub fn relations(&self, wanted: fn(&Relation) -> bool) -> impl Iterator<Item = u32> + '_ {
        self.relations.iter().filter_map(move |(object, place)| {
            let relation = self
                .models
                .get(&place.schema)?
                .1
                .relations
                .get(&place.name)?;
            wanted(relation).then_some(*object)
        })
    }

    /// The OIDs of the domains.
    pub fn domains(&self) -> impl Iterator<Item = u32> + '_ {
        self.types.iter().filter_map(|(object, place)| {
            let found = self.models.get(&place.schema)?.1.types.get(&place.name)?;
            (found.kind == TypeKind::Domain).then_some(*object)
        })
    }

    /// A schema without its objects.
    pub fn add_schema(&mut self, object: &Described) -> Result<()> {
        let class = pg_sys::NamespaceRelationId.to_u32();
        let mut model: Schema = self.read(object, class, Untouched::Closed)?;
        model.format = FORMAT;
        model.qualified_as = self.qualified.then(|| object.name.clone());
        self.models
            .insert(object.object, (object.name.clone(), model));
        Ok(())
    }

    /// An object of a schema, or a part of a relation.
    pub fn add(&mut self, object: &Described) -> Result<()> {
        match object.kind.as_str() {
            "relation" => self.add_relation(object),
            "type" => self.add_type(object),
            "function" => {
                let class = pg_sys::ProcedureRelationId.to_u32();
                let function = self.read(object, class, Untouched::Execute)?;
                self.put(object, function, |model| &mut model.functions);
                Ok(())
            }
            "other" => self.add_other(object),
            _ => self.add_part(object),
        }
    }

    fn add_relation(&mut self, object: &Described) -> Result<()> {
        let mut properties = properties(object)?;
        // A composite type is known by its type.
        let row_type = properties
            .remove("row_type")
            .and_then(|value| value.as_u64());
        let row_type = row_type.and_then(|value| u32::try_from(value).ok());
        let (class, described, untouched) = match row_type {
            Some(row_type) => (pg_sys::TypeRelationId.to_u32(), row_type, Untouched::Usage),
            None => (
                pg_sys::RelationRelationId.to_u32(),
                object.object,
                Untouched::Closed,
            ),
        };
        self.complete(object, (class, described, 0), untouched, &mut properties);
        let relation: Relation = from_properties(object, properties)?;
        self.relations.insert(object.object, place(object));
        self.put(object, relation, |model| &mut model.relations);
        Ok(())
    }

    fn add_type(&mut self, object: &Described) -> Result<()> {
        let kind = self.read(object, pg_sys::TypeRelationId.to_u32(), Untouched::Usage)?;
        self.types.insert(object.object, place(object));
        self.put(object, kind, |model| &mut model.types);
        Ok(())
    }

    fn add_other(&mut self, object: &Described) -> Result<()> {
        let mut properties = properties(object)?;
        let class = properties.remove("class").and_then(|value| value.as_u64());
        let class = class
            .and_then(|value| u32::try_from(value).ok())
            .unwrap_or_default();
        let untouched = if class == pg_sys::TypeRelationId.to_u32() {
            Untouched::Usage
        } else {
            Untouched::Closed
        };
        self.complete(
            object,
            (class, object.object, 0),
            untouched,
            &mut properties,
        );
        // A base type has grants as other types do; the rest has none.
        let other = from_properties(object, properties)?;
        self.put(object, other, |model| &mut model.others);
        Ok(())
    }

    fn add_part(&mut self, object: &Described) -> Result<()> {
        let class = match object.kind.as_str() {
            "trigger" => PG_TRIGGER,
            "rule" => PG_REWRITE,
            _ => PG_POLICY,
        };
        let comment = self.comment((class, object.object, 0));
        let Some(relation) = self.relation(object.whole) else {
            return Ok(());
        };
        let mut properties = properties(object)?;
        if let Some(comment) = comment {
            properties.insert("comment".into(), comment.into());
        }
        properties.insert("identity".into(), json!({ "object": object.object }));
        let printed = |print: fn(&str) -> String, properties: &mut Map<String, Value>| {
            if let Some(Value::String(definition)) = properties.get_mut("definition") {
                *definition = print(definition);
            }
        };
        match object.kind.as_str() {
            "trigger" => {
                printed(text::of_trigger, &mut properties);
                insert(&mut relation.triggers, object, properties)
            }
            "rule" => {
                printed(text::of_rule, &mut properties);
                insert(&mut relation.rules, object, properties)
            }
            _ => insert(&mut relation.policies, object, properties),
        }
    }

    pub(super) fn relation(&mut self, object: u32) -> Option<&mut Relation> {
        let place = self.relations.get(&object)?;
        let (_, model) = self.models.get_mut(&place.schema)?;
        model.relations.get_mut(&place.name)
    }

    pub(super) fn comment(&mut self, on: (u32, u32, i32)) -> Option<String> {
        self.comments.remove(&on)
    }

    fn put<T>(
        &mut self,
        object: &Described,
        described: T,
        objects: impl Fn(&mut Schema) -> &mut Named<T>,
    ) {
        if let Some((_, model)) = self.models.get_mut(&object.whole) {
            objects(model).insert(object.name.clone(), described);
        }
    }

    fn read<T: DeserializeOwned>(
        &mut self,
        object: &Described,
        class: u32,
        untouched: Untouched,
    ) -> Result<T> {
        let mut properties = properties(object)?;
        self.complete(
            object,
            (class, object.object, 0),
            untouched,
            &mut properties,
        );
        from_properties(object, properties)
    }

    /// What every object has: identity, owner, grants, comment.
    fn complete(
        &mut self,
        object: &Described,
        on: (u32, u32, i32),
        untouched: Untouched,
        properties: &mut Map<String, Value>,
    ) {
        properties.insert("identity".into(), json!({ "object": object.object }));
        if let Some(owner) = &object.owner {
            properties.insert("owner".into(), owner.as_str().into());
            let grants = grants(object.acl.as_deref(), owner, untouched);
            if !grants.is_empty() {
                properties.insert("grants".into(), grants.into_iter().collect());
            }
        }
        if let Some(comment) = self.comment(on) {
            properties.insert("comment".into(), comment.into());
        }
    }
}

fn place(object: &Described) -> Place {
    Place {
        schema: object.whole,
        name: object.name.clone(),
    }
}
