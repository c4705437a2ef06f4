"""What fields are worth, in the one place where that is told: an object costs 1, and what has no fields nothing.

An object of a list costs as often as `first` says, or as often as is said here. So a cost is about the number of
objects that an answer may hold, and more where a vendor has to be asked for each."""

from collections.abc import Mapping

from domain.bulk import MOST_ITEMS

REQUEST = 10  # a request to a vendor, for this alone
COMMAND = 20  # which is not given back, whenever it is sent
KEPT = 2  # an answer that is kept: to find it,
KEPT_OBJECTS = 100  # and 1 more for so many of its objects, to write it
REPORT = 100
PAGE = 50  # where `first` is left out
LARGEST_PAGE = 1000
USUAL_SIZE = 3  # of a list that belongs to its object, such as a sale's lines
INTROSPECTION = 500

WEIGHTS: Mapping[str, int] = {  # of a field itself, beside the objects that it leads to
    "Machine.cash": REQUEST,
    "Machine.config": REQUEST,
    "Machine.connectivityNow": REQUEST,
    "Machine.ingredients": REQUEST,
    "Machine.serviceSessions": REQUEST,
    "Machine.session": REQUEST,
    "Machine.terminal": REQUEST,
    "Organization.productLines": REQUEST,
    "Organization.taxRates": REQUEST,
    "Query.exportSales": REPORT,
    "Query.lowStock": REPORT,
    "Query.promoCode": REQUEST,
    "Query.salesReport": REPORT,
    "Query.stockReport": REPORT,
    "Query.__schema": INTROSPECTION,
    "Query.__type": INTROSPECTION,
    "VendorAccount.analytics": REQUEST,
    "VendorAccount.customerAccounts": REQUEST,
    "VendorAccount.eventTypes": REQUEST,
    "VendorAccount.productsSold": REQUEST,
    "VendorAccount.serviceSessions": REQUEST,
}
ORDERS: Mapping[str, str] = {  # mutations of many commands: where in `input` they stand
    "setPrices": "prices",
    "updatePlanograms": "planograms",
}
SIZES: Mapping[str, int] = {
    "Bulk.items": MOST_ITEMS,
    "Machine.capabilities": 20,
    "Machine.slots": 20,
    "Query.accounts": 10,
    "SalesReport.rows": 100,
    "StockReport.rows": 100,
    "VendorAccount.customerAccounts": 50,
    "VendorAccount.productsSold": 50,
}
ITEMS = frozenset({"nodes", "edges"})  # of a connection: as many as its field's `first`
