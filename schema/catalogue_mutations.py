"""What can be asked of an account: changes of its catalogue, its organizations and machines, and its promo codes."""

import strawberry

from domain import catalogue, estate, promotions
from domain.capabilities import Capability
from schema.mutations import CommandPayload
from schema.mutations import in_account as asks


@strawberry.type
class CatalogueMutation:
    create_product: CommandPayload = asks(
        Capability.CREATE_PRODUCT, catalogue.CreateProductInput, "Adds a product to a catalogue. For admins."
    )
    update_product: CommandPayload = asks(
        Capability.UPDATE_PRODUCT, catalogue.UpdateProductInput, "Changes a product of a catalogue. For admins."
    )
    delete_product: CommandPayload = asks(
        Capability.DELETE_PRODUCT, catalogue.DeleteProductInput, "Deletes a product of a catalogue. For admins."
    )
    create_organization: CommandPayload = asks(
        Capability.CREATE_ORGANIZATION, estate.CreateOrganizationInput, "Adds an organization at a vendor. For admins."
    )
    update_organization: CommandPayload = asks(
        Capability.UPDATE_ORGANIZATION, estate.UpdateOrganizationInput, "Changes a vendor's organization. For admins."
    )
    create_fleet: CommandPayload = asks(
        Capability.CREATE_FLEET, estate.CreateFleetInput, "Adds a fleet, which is a group of machines. For admins."
    )
    create_machine: CommandPayload = asks(
        Capability.CREATE_MACHINE,
        estate.CreateMachineInput,
        "Adds a machine, whose `initKey` links it to the hardware. For admins.",
    )
    create_promo_codes: CommandPayload = asks(
        Capability.CREATE_PROMO_CODES, promotions.CreatePromoCodesInput, "Makes promo codes. For admins."
    )
    set_promo_eligibility: CommandPayload = asks(
        Capability.SET_PROMO_ELIGIBILITY,
        promotions.SetPromoEligibilityInput,
        "Sets for what promo codes hold. For admins.",
    )
