"""The domain's enums as the graph's, with what each value means."""

from collections.abc import Mapping
from enum import Enum

import strawberry
from graphql import GraphQLEnumType, GraphQLSchema

from domain import (
    analytics,
    capabilities,
    commands,
    details,
    drift,
    exports,
    facts,
    model,
    people,
    periods,
    promotions,
    reporting,
    sales,
    stock,
    stock_reporting,
)
from domain.errors import ErrorCode
from domain.paging import SourceState

VALUES: Mapping[type[Enum], tuple[str, Mapping[str, str]]] = {
    model.Vendor: (
        "Whose machines they are.",
        {
            "SMARTVEND": "Coffee and impulse machines.",
            "LIVELLO": "Self-service kiosks that know their stock by weight.",
            "VENDNOVATION": "Vending machines and lockers of any maker, read through their controllers.",
            "SMARTEPI": "Dispensers of protective equipment.",
            "EATMACHINE": "Fridges that know their stock by RFID tags.",
        },
    ),
    model.Role: (
        "What a key may do.",
        {
            "VIEWER": "Reads.",
            "OPERATOR": "Reads, and sends commands to machines.",
            "ADMIN": "All of that, and changes the catalogue, prices, users and settings.",
        },
    ),
    model.MachineKind: (
        "What sort of machine it is.",
        {
            "COFFEE": "Brews drinks.",
            "IMPULSE": "Driven by pulses: simple vending machines, carwashes, toys.",
            "KIOSK": "An open self-service kiosk.",
            "FRIDGE": "A fridge that opens for its customer.",
            "DISPENSER": "Hands out things that are not sold.",
            "OTHER": "Anything else, or the vendor does not say.",
        },
    ),
    model.Connectivity: (
        "Whether the vendor reaches the machine.",
        {
            "ONLINE": "It is reached, or was heard of lately.",
            "OFFLINE": "It is not reached, or was not heard of for too long.",
            "UNKNOWN": "The vendor does not say.",
        },
    ),
    model.DoorState: (
        "The state of a machine's door.",
        {
            "OPENED": "It stands open.",
            "CLOSED": "It is shut and locked.",
            "UNLOCKED": "It is shut, but may be opened.",
            "UNKNOWN": "The vendor does not say, or has not said yet.",
        },
    ),
    sales.SaleKind: (
        "What changed hands, and why.",
        {
            "PURCHASE": "Goods for money.",
            "WITHDRAWAL": "Things handed out to a person, not sold.",
            "RETURN": "Things that a person gave back.",
            "EXCHANGE": "Things given back against new ones; what came back has a negative quantity.",
        },
    ),
    sales.SaleStatus: (
        "How a sale ended.",
        {
            "COMPLETED": "All was handed out, and paid where it had to be.",
            "PARTIAL": "Some of it was handed out.",
            "FAILED": "Nothing was handed out, or the payment failed.",
            "REFUNDED": "The payment was taken back.",
            "PENDING": "The payment is not final yet.",
            "UNKNOWN": "The vendor said something that is not known here.",
        },
    ),
    sales.DispenseOutcome: (
        "Whether a line was handed out.",
        {
            "DISPENSED": "It was handed out.",
            "FAILED": "It was not handed out.",
            "UNKNOWN": "The vendor does not say.",
        },
    ),
    sales.PaymentMethod: (
        "How it was paid.",
        {
            "CASH": "Cash, coins or bills.",
            "COIN": "Coins.",
            "BILL": "Bank notes.",
            "CARD": "A bank card or another cashless device at the machine.",
            "ACCOUNT": "An account kept at the vendor.",
            "MEMBERCARD": "A card of the operator's own scheme.",
            "REMOTE_PAYMENT": "A cashless payment that was sent to the machine.",
            "REMOTE_DEPOSIT": "Credit that was sent to the machine.",
            "OTHER": "Something else.",
            "UNKNOWN": "The vendor said something that is not known here.",
        },
    ),
    model.Trust: (
        "How we know of a record.",
        {
            "SIGNED": "A webhook with a signature that was right.",
            "SECRET_URL": "A webhook without a signature, at an address that only its sender knows.",
            "POLLED": "The vendor's list.",
            "DERIVED": "Deduced from other records.",
        },
    ),
    model.Severity: (
        "How much an event matters.",
        {
            "INFO": "Good to know.",
            "WARNING": "To be looked at; also what a vendor does not rank.",
            "CRITICAL": "To be dealt with now.",
        },
    ),
    model.EventState: (
        "Whether an event still stands.",
        {
            "ACTIVE": "It still stands.",
            "RESOLVED": "It is over.",
            "UNKNOWN": "The vendor said something that is not known here.",
        },
    ),
    model.AccountStatus: (
        "How an account fares at its vendor.",
        {
            "UNKNOWN": "Nothing has been asked of it yet.",
            "OK": "The vendor answers.",
            "DEGRADED": "The vendor fails now and then.",
            "RATE_LIMITED": "The request budget is spent for now.",
            "UNAUTHORIZED": "The vendor refuses the credentials.",
            "UNAVAILABLE": "The vendor does not answer, and is left alone for a moment.",
        },
    ),
    capabilities.UnavailableReason: (
        "Why something is null or cannot be done.",
        {
            "UNSUPPORTED_BY_VENDOR": "This vendor never tells it, or cannot do it.",
            "NOT_PERMITTED": "The credentials, or the caller's role, do not cover it.",
            "VENDOR_UNAVAILABLE": "The vendor did not answer.",
            "OUT_OF_BUDGET": "The request budget of the account is spent.",
            "MACHINE_OFFLINE": "The machine is not reached.",
            "NEVER_REPORTED": "The vendor could tell it, but has not.",
        },
    ),
    capabilities.Capability: (
        "What can be asked of a machine or an account.",
        {
            "SLOTS": "Its slots can be read.",
            "STOCK_COUNTS": "Its slots tell how much is in them.",
            "SALES": "Its sales can be read.",
            "EVENTS": "Its events can be read.",
            "WEBHOOKS": "The vendor reports by itself what happens.",
            "TEMPERATURE": "Its temperature can be read.",
            "DOOR": "The state of its door can be read.",
            "DISPENSE_PRODUCT": "It can be told to hand out a product.",
            "SEND_DEPOSIT": "Credit can be sent to it.",
            "SEND_REMOTE_PAYMENT": "A cashless payment can be sent to it.",
            "OPEN_DOOR": "Its door can be unlocked.",
            "SCAN_INVENTORY": "It can be told to count what is in it.",
            "MEASURE_TEMPERATURE": "It can be told to measure its temperature.",
            "READ_DOOR": "It can be told to report its door.",
            "REBOOT": "It can be restarted.",
            "RESTART_APP": "The software on it can be restarted.",
            "UPDATE_PLANOGRAM": "What its slots hold can be set.",
            "UPDATE_CONFIG": "Its settings can be changed.",
            "SET_PRICE": "The price of a slot can be set.",
            "COLLECT_CASH": "A collection of its cash can be recorded.",
            "STOCK_MOVEMENTS": "How its stock changed can be read.",
            "CASH_COLLECTIONS": "When its cash was collected can be read.",
            "ADJUST_STOCK": "What is counted in its slots can be corrected.",
            "CREATE_PERSON": "People can be made known to the account.",
            "UPDATE_PERSON": "What it keeps of people can be changed.",
            "DELETE_PERSON": "People can be taken out of it.",
            "CREATE_UNIT": "Sectors, cost centers, job roles and access groups can be made.",
            "UPDATE_UNIT": "These can be changed.",
            "DELETE_UNIT": "These can be taken away.",
            "CREATE_GROUP": "Groups can be made that say what their people may take.",
            "UPDATE_GROUP": "These groups can be changed.",
            "DELETE_GROUP": "These groups can be taken away.",
            "CREATE_PRODUCT": "Products can be added to the account's catalogue.",
            "UPDATE_PRODUCT": "The catalogue's products can be changed.",
            "DELETE_PRODUCT": "The catalogue's products can be deleted.",
            "CREATE_ORGANIZATION": "Organizations can be added at the vendor.",
            "UPDATE_ORGANIZATION": "The vendor's organizations can be changed.",
            "CREATE_FLEET": "Fleets, which are groups of machines, can be added.",
            "CREATE_MACHINE": "Machines can be added.",
            "CREATE_PROMO_CODES": "Promo codes can be made.",
            "SET_PROMO_ELIGIBILITY": "What promo codes hold for can be set.",
            "RESOLVE_EVENT": "Its events can be declared over.",
            "CREATE_SITE": "Sites, where machines stand, can be added.",
            "PROVISION_MACHINE": "Machines that have called in for the first time can be put into service.",
            "CREATE_SERVICE_SESSION": "That somebody works at it can be recorded.",
            "UPDATE_MACHINE": "What it is called, where it stands and how it sells can be changed.",
        },
    ),
    analytics.AnalyticsGroup: (
        "What a vendor's own sums are told apart by.",
        {"PRODUCT_LINE": "By the product line.", "MACHINE": "By the machine."},
    ),
    analytics.StatisticsOrder: (
        "What a vendor's own statistics are ordered by.",
        {
            "SOLD": "By how many were sold.",
            "RESTOCKED": "By how many were put in.",
            "REMOVED": "By how many were taken out, unsold.",
            "TOTAL": "By what they were sold for.",
            "COST": "By what they cost.",
        },
    ),
    details.Language: (
        "A language, by ISO 639-1.",
        {
            "EN": "English.",
            "PT": "Portuguese.",
            "ES": "Spanish.",
            "DE": "German.",
            "FR": "French.",
            "RU": "Russian.",
        },
    ),
    stock.MovementKind: (
        "How stock came to change.",
        {
            "RESTOCK": "More was put in.",
            "TAKE": "A customer took it, or it was handed out.",
            "REMOVAL": "It was taken out otherwise, such as what has expired.",
            "ADJUSTMENT": "The count was corrected by hand.",
            "UNKNOWN": "The vendor said nothing, or something that is not known here.",
        },
    ),
    people.PersonStatus: (
        "Whether a person is in use.",
        {
            "ACTIVE": "They are in use.",
            "INACTIVE": "They are not in use.",
            "UNKNOWN": "The vendor does not say, or said something that is not known here.",
        },
    ),
    people.PersonRole: (
        "What a person is to the operator.",
        {
            "EMPLOYEE": "Works there, and takes what the work needs.",
            "CONSUMER": "A customer.",
            "OPERATOR": "Looks after machines.",
            "ADMIN": "Looks after an organization.",
            "SUPERADMIN": "Looks after all of them.",
            "UNKNOWN": "The vendor said something that is not known here.",
        },
    ),
    people.UnitKind: (
        "What sort of unit it is.",
        {
            "SECTOR": "A part of a plant or a company.",
            "COST_CENTER": "Who bears what its people take.",
            "JOB_ROLE": "What its people do.",
            "ACCESS_GROUP": "Where its people may go.",
        },
    ),
    SourceState: (
        "What an account gave to a list.",
        {
            "FRESH": "What the vendor tells now, or told a moment ago.",
            "STALE": "What it told at `asOf`, for it could not be asked again.",
            "FAILED": "Nothing: see the error.",
            "UNSUPPORTED": "Nothing: the vendor has no such list.",
        },
    ),
    facts.Origin: (
        "How something reached the gateway.",
        {
            "WEBHOOK": "The vendor told it by itself.",
            "POLL": "It was found in a list of a vendor that sends no webhooks.",
            "BACKFILL": "It was found in a list: the webhook that should have told it did not come.",
            "COMMAND": "It is what came of a command.",
            "DERIVED": "It was deduced from what the vendor told.",
            "GATEWAY": "The gateway says it of itself.",
        },
    ),
    commands.CommandStatus: (
        "How far a command has come.",
        {
            "PENDING": "It is recorded and not sent yet.",
            "SENT": "It is on its way to the vendor.",
            "ACKNOWLEDGED": "The vendor has it, and will tell more.",
            "SUCCEEDED": "It was done.",
            "FAILED": "It was not done.",
            "UNKNOWN": "It was sent and no answer came: it may have happened or not. It is never sent again by itself.",
        },
    ),
    commands.CommandStage: (
        "How far the opening of a door has come.",
        {
            "UNLOCKED": "It can be opened.",
            "OPENED": "It is open.",
            "CLOSED": "It was closed again.",
            "INVENTORIED": "What is inside was counted.",
        },
    ),
    commands.CommandOutcome: (
        "What became of a command, as a person found out.",
        {"SUCCEEDED": "It was carried out.", "FAILED": "It was not carried out."},
    ),
    periods.Granularity: (
        "How long the periods of a report are.",
        {
            "HOUR": "Hours of the clock.",
            "DAY": "Days: of 23 or 25 hours where clocks are changed.",
            "WEEK": "Weeks, from Monday on.",
            "MONTH": "Months of the calendar.",
        },
    ),
    reporting.SalesGroup: (
        "What the rows of a report are told apart by.",
        {
            "VENDOR": "The vendor.",
            "MACHINE": "The machine.",
            "PRODUCT": "The product; what none accounts for has rows without one.",
            "PAYMENT_METHOD": "How it was paid.",
        },
    ),
    drift.DriftKind: (
        "What is wrong with a member of a vendor's answer.",
        {
            "UNKNOWN_WORD": "It is one of a fixed set of words, and this word is not among them.",
            "MISSING": "It is not there, or null where it must have a value.",
            "RETYPED": "Its value is of another type, or written in another form.",
        },
    ),
    exports.ExportFormat: (
        "What an export is written as.",
        {
            "NDJSON": "A JSON object a line: a sale, and in the end how each account has contributed.",
            "CSV": "A table by RFC 4180, with a row for each line of a sale.",
        },
    ),
    exports.ExportState: (
        "Where an export stands.",
        {
            "WAITING": "Nobody has asked for it yet.",
            "RUNNING": "It is being written.",
            "DONE": "It was written to its end.",
            "BROKEN": "It was broken off: the client went away, or took nothing; or the gateway could not go on.",
        },
    ),
    stock_reporting.StockGroup: (
        "What the rows of a report over stock are told apart by.",
        {
            "VENDOR": "The vendor.",
            "MACHINE": "The machine; movements that name none have rows without one.",
            "PRODUCT": "The product; movements that name none have rows without one.",
        },
    ),
    promotions.DiscountType: (
        "How a discount is counted.",
        {
            "PERCENTAGE": "As a part of the price.",
            "FLAT": "As an amount.",
            "UNKNOWN": "The vendor said something that is not known here.",
        },
    ),
    ErrorCode: (
        "What went wrong, and whose turn it is.",
        {
            "BAD_INPUT": "The caller's: what was passed cannot be used.",
            "UNAUTHENTICATED": "The caller's: no key, or a wrong one.",
            "FORBIDDEN": "The caller's: the key's role, or its limits, do not allow it.",
            "NOT_FOUND": "The caller's: there is no such thing, or it is not theirs.",
            "CONFLICT": "The caller's: it contradicts what was there before.",
            "UNSUPPORTED": "The caller's: this vendor or machine cannot do it.",
            "VENDOR_UNAVAILABLE": "The vendor's: it is down, unreachable or too slow.",
            "VENDOR_RATE_LIMITED": "The vendor's: the request budget is spent; see `retryAfterSeconds`.",
            "VENDOR_REJECTED": "The vendor's: it understood and refused.",
            "VENDOR_UNAUTHORIZED": "The vendor's: it refuses the account's credentials, or they do not cover this.",
            "VENDOR_PROTOCOL": "The vendor's: its answer could not be read.",
            "QUERY_TOO_COMPLEX": "The gateway's: the query asks for too much at once.",
            "RATE_LIMITED": "The gateway's: too many requests, or too many commands.",
            "PERSISTED_QUERY_NOT_FOUND": "Nobody's: a document named by its hash is not kept here; send it in full.",
            "INTERNAL": "The gateway's: a fault of ours, logged under the request id that the error carries.",
        },
    ),
}

for _enum in VALUES:
    strawberry.enum(_enum)


def describe_values(schema: GraphQLSchema) -> None:
    """Gives each enum and its values their descriptions, and refuses to start where one is missing or too many."""
    for enum, (meaning, values) in VALUES.items():
        found = schema.type_map.get(enum.__name__)
        if isinstance(found, GraphQLEnumType):
            if found.values.keys() != values.keys():
                raise LookupError(f"the values of {enum.__name__} and their descriptions differ")
            found.description = meaning
            for name, words in values.items():
                found.values[name].description = words
