-- Schemas as documents: what each function does.

COMMENT ON FUNCTION module_versioning.capture_schema(text) IS
'Describes a schema completely: tables with columns, constraints, indexes, triggers, rules and policies, views, sequences, functions, types, operators with classes and families, collations, casts, text search, statistics, owners, grants, comments.
Equal schemas give equal documents, whatever their OIDs, names and order of creation; names of the schema''s own objects stand unqualified. The position of a column is told as information.
What belongs to an extension is left out; the extension is named. Bodies of functions are text: a schema''s name in one stays.
Errors: 22023 NULL; 42704 no such schema. Takes no locks but ACCESS SHARE on views and what they read; read-only.';

COMMENT ON FUNCTION module_versioning.schema_fingerprint(text) IS
'The SHA-256, in hex, of a schema''s description: equal for equal schemas, whatever their OIDs, names, order of creation and order of columns.
Errors: 22023 NULL; 42704 no such schema.';

COMMENT ON FUNCTION module_versioning.schema_diff(jsonb, jsonb) IS
'Compares two descriptions of schemas and says what each difference means.
before, after: what capture_schema returned. What is called otherwise is another object there: a rename is a drop and an addition, nothing is guessed.
change: added, dropped, changed or reordered (columns).
breaking: a statement of a client of the old version fails, or a type it reads changes; data_loss: people''s data goes, as far as schemas alone tell.
detail: level (breaking, dangerous, addition, info), kinds, before and after, the lock that the change takes on a table in use, whether it rewrites or scans it (null: can''t be told).
Parts of an added or dropped table are in its detail. Errors: 22023 NULL, or no description of a schema.';

COMMENT ON FUNCTION module_versioning._capture_schemas() IS
'Describes every schema that holds people''s objects, by name, with what each object is in this database whatever its name.
Those of the server, of this extension and temporary ones are left out. Not for comparing databases: identities differ. Takes no locks but ACCESS SHARE on views and what they read; read-only.';

COMMENT ON FUNCTION module_versioning._schemas_diff(jsonb, jsonb, text) IS
'Compares two descriptions by _capture_schemas of one database, as schema_diff does; renames and moves are told from drops and additions.
own: the schema whose objects are named without it. Errors: 22023 NULL, or no description of schemas.';
