"""Who may ask for the schema: everybody in development, else those whose key has the right to it."""

from collections.abc import Iterator

from graphql.validation import NoSchemaIntrospectionCustomRule
from strawberry.extensions import SchemaExtension


class OnlyPermitted(SchemaExtension):
    """Documents are refused before they are executed, by a rule that validations are remembered by."""

    def on_operation(self) -> Iterator[None]:
        execution = self.execution_context
        if not execution.context.viewer.introspection:
            execution.validation_rules = (*execution.validation_rules, NoSchemaIntrospectionCustomRule)
        yield
