"""What can be asked about events, sites, and machines as they stand."""

import strawberry

from domain import backoffice, upkeep
from domain.capabilities import Capability
from schema.mutations import CommandPayload, asks, in_account


@strawberry.type
class UpkeepMutation:
    resolve_event: CommandPayload = in_account(
        Capability.RESOLVE_EVENT, upkeep.ResolveEventInput, "Declares an event over, at its vendor. For operators."
    )
    create_site: CommandPayload = in_account(
        Capability.CREATE_SITE, upkeep.CreateSiteInput, "Adds a site, where machines stand. For admins."
    )
    provision_machine: CommandPayload = in_account(
        Capability.PROVISION_MACHINE,
        upkeep.ProvisionMachineInput,
        "Puts a machine into service that has called in for the first time. For admins.",
    )
    update_machine: CommandPayload = asks(
        Capability.UPDATE_MACHINE,
        upkeep.UpdateMachineInput,
        "Changes what a machine is called, where it stands and how it sells. For admins.",
    )
    create_service_session: CommandPayload = asks(
        Capability.CREATE_SERVICE_SESSION,
        backoffice.CreateServiceSessionInput,
        "Records at the vendor that somebody works at a machine. For operators.",
    )
