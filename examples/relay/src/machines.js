// What an application's components would say of the data that they need.
const { graphql } = require("relay-runtime");

exports.MachinesQuery = graphql`
  query machinesQuery {
    ...machines_list
  }
`;

// A list that grows by pages. Relay writes the query for the next page, and joins the pages in its store.
exports.machinesList = graphql`
  fragment machines_list on Query
  @refetchable(queryName: "machinesNextQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 4 }, after: { type: "String" }) {
    machines(first: $first, after: $after) @connection(key: "machines_machines") {
      edges {
        node {
          id
          ...machines_machine
        }
      }
    }
  }
`;

// One machine. Relay writes the query that fetches it again: by its interface Node, with nothing but its id.
exports.machinesMachine = graphql`
  fragment machines_machine on Machine @refetchable(queryName: "machinesAgainQuery") {
    name
    connectivity
    observedAt
  }
`;
