// What the API shows of the node, as JSON.
#pragma once

#include "api/node_face.hpp"
#include "api/schema.hpp"
#include "store/audit_log.hpp"
#include "store/sessions.hpp"

namespace oc::api {

Json to_json(const IdentityView& identity);
Json to_json(const NetcheckView& netcheck);
Json to_json(const MemberView& member);
Json to_json(const PathView& path);
Json to_json(const RuleView& rule);
Json to_json(const store::AuditRow& row);
// The id that stands for a session: a part of its token's hash.
std::string session_id_of(const store::SessionRow& session);
Json to_json(const store::SessionRow& session, bool current);
// Peer id, and the round trips with least, mean and greatest.
Json to_json(const std::string& peer_id, const PingView& ping);
// The networks of this node with their numbers of members, in the identity's order.
Json networks_json(const IdentityView& identity, const std::vector<MemberView>& members);
// This node first, then by name and peer id.
void sort_for_display(std::vector<MemberView>& members);

// The schemas of all of these and of the smaller answers, by name, as OpenAPI's components.
Json answer_schemas();

}  // namespace oc::api
