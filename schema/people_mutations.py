"""What can be asked of accounts that keep people and structure."""

import strawberry

from domain import people_asked as asked
from domain.capabilities import Capability
from schema.mutations import CommandPayload
from schema.mutations import in_account as asks


@strawberry.type(description="What is made, changed and deleted of people and structure.")
class PeopleMutation:
    create_person: CommandPayload = asks(
        Capability.CREATE_PERSON, asked.CreatePersonInput, "Makes a person known to an account. For admins."
    )
    update_person: CommandPayload = asks(
        Capability.UPDATE_PERSON, asked.UpdatePersonInput, "Changes what is kept of a person. For admins."
    )
    delete_person: CommandPayload = asks(
        Capability.DELETE_PERSON, asked.DeletePersonInput, "Takes a person out of an account. For admins."
    )
    create_unit: CommandPayload = asks(
        Capability.CREATE_UNIT,
        asked.CreateUnitInput,
        "Makes a sector, a cost center, a job role or an access group. For admins.",
    )
    update_unit: CommandPayload = asks(Capability.UPDATE_UNIT, asked.UpdateUnitInput, "Changes a unit. For admins.")
    delete_unit: CommandPayload = asks(Capability.DELETE_UNIT, asked.DeleteUnitInput, "Deletes a unit. For admins.")
    create_group: CommandPayload = asks(
        Capability.CREATE_GROUP,
        asked.CreateGroupInput,
        "Makes a group that says what its people may take. For admins.",
    )
    update_group: CommandPayload = asks(Capability.UPDATE_GROUP, asked.UpdateGroupInput, "Changes a group. For admins.")
    delete_group: CommandPayload = asks(Capability.DELETE_GROUP, asked.DeleteGroupInput, "Deletes a group. For admins.")
