// Livello's API for the peers in JavaScript, as one would write it who cares for speed: kept-alive connections, lists
// asked for once, sales of many kiosks in one list, and mapped values kept for `seconds`. 0 keeps nothing beyond a
// request. What is fresh is given at once, and not as a promise.
import { Pool } from "undici";

const LARGEST = 100;
const CURRENCY = "EUR"; // transactions tell none

export class Vendor {
  constructor(base, seconds) {
    const { origin, pathname } = new URL(base);
    this.pool = new Pool(origin, { connections: 128 });
    this.path = pathname;
    this.seconds = seconds;
    this.kept = new Map();
    this.headers = undefined;
  }

  async signIn() {
    const body = JSON.stringify({ client_id: "bench", client_secret: "bench", grant_type: "client_credentials" });
    const headers = { "content-type": "application/json" };
    const answer = await this.pool.request({ path: `${this.path}/auth/token`, method: "POST", headers, body });
    const { access_token } = await answer.body.json();
    this.headers = { authorization: `Bearer ${access_token}`, "x-timezone": "UTC" };
  }

  async get(path) {
    const answer = await this.pool.request({ path: this.path + path, method: "GET", headers: this.headers });
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
    return answer.body.json();
  }

  // One request under way for a key; where values are kept they are there at once.
  value(key, load) {
    const known = this.kept.get(key);
    if (known !== undefined && known.until > Date.now()) return known.value;
    const promise = load().then((value) => {
      this.kept.set(key, { value, until: Date.now() + this.seconds * 1000 });
      return value;
    });
    this.kept.set(key, { value: promise, until: Infinity });
    promise.catch(() => this.kept.delete(key));
    return promise;
  }
}

// One request's view.
export class Asked {
  constructor(vendor) {
    this.vendor = vendor;
    this.own = new Map();
    this.waiting = undefined;
  }

  value(key, load) {
    if (this.vendor.seconds > 0) return this.vendor.value(key, load);
    if (!this.own.has(key)) this.own.set(key, load());
    return this.own.get(key);
  }

  machines() {
    const path = `/kiosks?sort=1&sortColumn=serialNumber&page=1&limit=${LARGEST}`;
    return this.value("machines", async () => (await this.vendor.get(path)).data.map(machine));
  }

  machine(serial) {
    return this.value(`machine ${serial}`, async () => machine(await this.vendor.get(`/kiosks/${serial}`)));
  }

  products() {
    const path = `/products?sort=1&sortBy=name&page=1&limit=${LARGEST}`;
    return this.value("products", async () => {
      const { data } = await this.vendor.get(path);
      return new Map(data.map((row) => [row.id, { name: row.name }]));
    });
  }

  // With their products: the list of products is asked for together with the inventory.
  slots(serial) {
    return this.value(`slots ${serial}`, async () => {
      const inventory = this.vendor.get(`/kiosks/${serial}/inventory`);
      const [cells, products] = await Promise.all([inventory, this.products()]);
      return cells.map((cell) => slot(cell, products));
    });
  }

  // The newest of a kiosk; those of all kiosks that one tick asks for are read together.
  sales(serial, first) {
    return this.value(`sales ${serial} ${first}`, () => {
      if (this.waiting === undefined) {
        this.waiting = new Map();
        setImmediate(() => this.load());
      }
      return new Promise((resolve, reject) => this.waiting.set(serial, { first, resolve, reject }));
    });
  }

  async load() {
    const waiting = this.waiting;
    this.waiting = undefined;
    try {
      const found = await this.newest([...waiting.keys()], Math.max(...[...waiting.values()].map((one) => one.first)));
      for (const [serial, { first, resolve }] of waiting) resolve({ nodes: found.get(serial).slice(0, first) });
    } catch (error) {
      for (const { reject } of waiting.values()) reject(error);
    }
  }

  async newest(serials, first) {
    const found = new Map(serials.map((serial) => [serial, []]));
    const limit = Math.min(LARGEST, serials.length * first);
    let skip = 0;
    let total = serials.length * first;
    while (skip < total && [...found.values()].some((sales) => sales.length < first)) {
      const starts = [];
      for (const ends = Math.max(skip + limit, Math.min(total, serials.length * first)); skip < ends; skip += limit) {
        starts.push(skip);
      }
      for (const page of await Promise.all(starts.map((start) => this.page(serials, start, limit)))) {
        total = page.total;
        for (const row of page.data) found.get(row.kiosk.serialNumber).push(sale(row));
      }
    }
    return found;
  }

  page(serials, skip, limit) {
    const kiosks = encodeURIComponent(serials.join(","));
    return this.vendor.get(`/transactions?sort=-1&sortBy=created&kioskSerialNumbers=${kiosks}&skip=${skip}&limit=${limit}`);
  }
}

function machine(row) {
  const { name, serialNumber } = row;
  return { name, vendor: "LIVELLO", vendorId: serialNumber, serialNumber };
}

function slot(cell, products) {
  const line = cell.productLineData;
  return {
    position: cell.planogramPosition,
    quantity: line.quantity,
    price: { amount: line.price, currency: line.currency },
    product: products.get(line.productMetaId),
  };
}

function sale(row) {
  return {
    recordedAt: row.created,
    total: { amount: row.total, currency: CURRENCY },
    lines: row.itemsPurchased.map((item) => ({ productName: item.name, quantity: item.quantity })),
  };
}
