using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing;

/// <summary>A fault of a KDC or of the network between it and the client, added with <see cref="TestRealm.Fail"/>. Immutable and
/// reusable.</summary>
public sealed class KdcFault
{
    /// <summary>MS-PAC §2.10: offsets in UPN_DNS_INFO have 16 bits.</summary>
    private const int MaxPacName = 10_000;

    private readonly string _name;

    private KdcFault(string name) => _name = name;

    /// <summary>Replaces the KDC's decision; null: keeps it.</summary>
    internal Func<KdcCall, KdcRefusalException>? Refuse { get; private init; }

    /// <summary>Changes a reply before it is encrypted; such a fault waits for an exchange that succeeds. Null: changes nothing.</summary>
    internal Action<RogueReply>? Alter { get; private init; }

    /// <summary>Changes the bytes or their delivery; null: changes nothing.</summary>
    internal Func<KdcDelivery, KdcDelivery>? Deliver { get; private init; }

    /// <summary>The transport of the requests that the fault applies to; null: any.</summary>
    internal KdcTransport? Transport { get; private init; }

    // ---------------------------------------------------------------- delivery of the answer

    /// <summary>Gets a fault: no answer, and the connection stays open.</summary>
    public static KdcFault Silent { get; } = new("silent") { Deliver = static answer => answer with { Mode = DeliveryMode.Silent } };

    /// <summary>Gets a fault: the connection is closed without an answer.</summary>
    public static KdcFault Close { get; } = new("closed") { Deliver = static answer => answer with { Mode = DeliveryMode.Close } };

    /// <summary>Gets a fault: the answer is sent byte by byte.</summary>
    public static KdcFault Drip { get; } = new("dripping") { Deliver = static answer => answer with { Mode = DeliveryMode.Drip } };

    /// <summary>Gets a fault: random bytes instead of a message.</summary>
    public static KdcFault Garbage { get; } = new("garbage") 
    {
        Deliver = static answer => answer with { Answer = RandomNumberGenerator.GetBytes(answer.Answer.Length) },
    };

    /// <summary>Gets a fault: KRB_ERR_RESPONSE_TOO_BIG, for requests over UDP only.</summary>
    public static KdcFault TooBigForUdp { get; } = new("too big for UDP")
    {
        Transport = KdcTransport.Udp, Refuse = static _ => new KdcRefusalException(KerberosErrorCode.ResponseTooBig),
    };

    /// <summary>Gets a fault: KDC_ERR_SVC_UNAVAILABLE, after which clients ask another KDC.</summary>
    public static KdcFault Unavailable { get; } = Error(KerberosErrorCode.ServiceUnavailable);

    /// <summary>Creates a fault: the answer is delayed.</summary>
    /// <param name="by">The delay in real time, independent of the realm's clock.</param>
    public static KdcFault Delay(TimeSpan by) =>
        new($"{by.TotalMilliseconds:0} ms late") { Deliver = answer => answer with { Delay = by } };

    /// <summary>Creates a fault: the message is truncated, in a frame of the shorter length.</summary>
    /// <param name="length">The bytes of the message that are sent.</param>
    public static KdcFault Truncate(int length) => new($"truncated to {length}")
    {
        Deliver = answer => answer with { Answer = answer.Answer[..Math.Min(length, answer.Answer.Length)] },
    };

    /// <summary>Creates a fault: the connection is closed in the middle of the answer.</summary>
    /// <param name="length">The bytes that are sent, including the four of the length.</param>
    public static KdcFault Interrupt(int length) => new($"interrupted after {length}") { Deliver = answer => answer with { Cut = length } };

    /// <summary>Creates a fault: the length before the message is wrong, and the connection stays open.</summary>
    /// <param name="length">The value of the four bytes.</param>
    public static KdcFault ClaimLength(uint length) =>
        new($"claims {length} bytes") { Deliver = answer => answer with { ClaimedLength = length } };

    /// <summary>Creates a fault: one bit of the answer is flipped.</summary>
    /// <param name="index">The index of the byte, modulo the length.</param>
    public static KdcFault FlipBit(int index) => new($"bit flipped at {index}")
    {
        Deliver = answer =>
        {
            var bytes = answer.Answer.ToArray();
            bytes[index % bytes.Length] ^= 1;
            return answer with { Answer = bytes };
        },
    };

    // ---------------------------------------------------------------- KRB-ERRORs that nothing authenticates

    /// <summary>Creates a fault: a KRB-ERROR instead of the answer.</summary>
    /// <param name="code">A code of RFC 4120 §7.5.9.</param>
    /// <param name="ntStatus">The NTSTATUS in the error data (<see cref="KdcKind.Windows"/> only); null: none.</param>
    public static KdcFault Error(KerberosErrorCode code, int? ntStatus = null) => new($"error {(int)code}")
    {
        Refuse = _ => new KdcRefusalException(code, ntStatus),
    };

    /// <summary>Creates a fault: KRB_AP_ERR_SKEW with a forged time.</summary>
    /// <param name="ahead">The difference from the KDC's real clock.</param>
    public static KdcFault ForgedClock(TimeSpan ahead) => new("forged clock")
    {
        Refuse = _ => new KdcRefusalException(KerberosErrorCode.Skew) { ClockError = ahead },
    };

    /// <summary>Creates a fault: KDC_ERR_WRONG_REALM with the name of a realm.</summary>
    /// <param name="realm">The client's alleged realm.</param>
    public static KdcFault ForgedReferral(string realm) => new($"forged referral to {realm}")
    {
        Refuse = _ => new KdcRefusalException(KerberosErrorCode.WrongRealm) { ClientRealm = realm },
    };

    // ---------------------------------------------------------------- rogue replies, correctly encrypted unless stated

    /// <summary>Creates a fault: reply, signature and ticket all name another user.</summary>
    /// <param name="user">The name of the other user, who need not exist.</param>
    public static KdcFault TicketOfAnotherUser(string user) => new($"ticket of {user}") { Alter = reply => reply.IssueFor(user) };

    /// <summary>Creates a fault: only the unencrypted client name is another user's.</summary>
    /// <param name="user">The name of the other user, who need not exist.</param>
    public static KdcFault NameOfAnotherUser(string user) => new($"name of {user}") { Alter = reply => reply.RenameClient(user) };

    /// <summary>Creates a fault: the ticket is another user's, and the rest of the reply names the requested user.</summary>
    /// <param name="user">The name of the other user, who need not exist.</param>
    public static KdcFault SwappedTicket(string user) => new($"swapped for a ticket of {user}") { Alter = reply => reply.SwapTicket(user) };

    /// <summary>Creates a fault: only the PAC in the ticket is another user's. It is visible only to services that open the
    /// ticket.</summary>
    /// <param name="user">The name of the other user, who need not exist.</param>
    public static KdcFault HiddenUser(string user) => new($"PAC of {user}") { Alter = reply => reply.SwapPac(user) };

    /// <summary>Gets a fault: a ticket of the account itself, as from a KDC that ignores S4U.</summary>
    public static KdcFault OrdinaryTicket { get; } = new("ordinary ticket") { Alter = static reply => reply.IssueForAccount() };

    /// <summary>Gets a fault: the reply has no signed user (PA-S4U-X509-USER), as from Heimdal.</summary>
    public static KdcFault NoSignedUser { get; } = new("no signed user") { Alter = static reply => reply.OmitSignedUser() };

    /// <summary>Gets a fault: the user (PA-S4U-X509-USER) is signed with another key.</summary>
    public static KdcFault ForgedSignedUser { get; } = new("forged signed user") { Alter = static reply => reply.ForgeSignedUser() };

    /// <summary>Gets a fault: the nonce of the reply differs from the request's.</summary>
    public static KdcFault WrongNonce { get; } = new("wrong nonce")
    {
        Alter = static reply => reply.ChangePart(part => part with { Nonce = part.Nonce ^ 1 }),
    };

    /// <summary>Creates a fault: reply and ticket are for another service.</summary>
    /// <param name="service">A service principal name such as HTTP/other or krbtgt/EVIL.TEST.</param>
    public static KdcFault WrongService(string service) => new($"for {service}") { Alter = reply => reply.IssueForService(service) };

    /// <summary>Creates a fault: only the ticket is for another service.</summary>
    /// <param name="service">A service principal name such as HTTP/other.</param>
    public static KdcFault TicketForAnotherService(string service) =>
        new($"ticket for {service}") { Alter = reply => reply.SwapService(service) };

    /// <summary>Gets a fault: the reply is encrypted with a key that the client does not have.</summary>
    public static KdcFault WrongReplyKey { get; } = new("wrong reply key") { Alter = static reply => reply.EncryptWithAnotherKey() };

    /// <summary>Gets a fault: the reply is encrypted with the TGT's session key (key usage 8) although the request has a subkey. The signed
    /// user (PA-S4U-X509-USER) stays under the subkey. No effect on log-on.</summary>
    public static KdcFault SessionKeyReply { get; } = new("reply under the session key") { Alter = static reply =>
        reply.EncryptWithSessionKey() };

    /// <summary>Gets a fault: the client inside the ticket is another user. The session key is that of the reply.</summary>
    /// <param name="user">The name of the other user, who need not exist.</param>
    public static KdcFault OtherClientInTicket(string user) =>
        new($"{user} in the ticket") { Alter = reply => reply.SwapTicketKeepingKey(user) };

    /// <summary>Gets a fault: the client's realm inside the ticket differs from the reply's.</summary>
    /// <param name="realm">The realm in the ticket.</param>
    public static KdcFault OtherRealmInTicket(string realm) =>
        new($"realm {realm} in the ticket") { Alter = reply => reply.SwapTicketRealm(realm) };

    /// <summary>Gets a fault: the reply does not show support of resource-based delegation (PA-PAC-OPTIONS).</summary>
    public static KdcFault NoResourceBasedDelegation { get; } =
        new("no resource-based delegation") { Alter = static reply => reply.ChangePart(part => part with { EncryptedPaData = [] }) };

    /// <summary>Gets a fault: ticket and reply have different session keys.</summary>
    public static KdcFault WrongSessionKey { get; } = new("wrong session key") { Alter = static reply => reply.SwapSessionKey() };

    /// <summary>Gets a fault: the type of the session key is one that the client did not offer; if it offered all, the last one.</summary>
    public static KdcFault UnofferedEncryptionType { get; } = new("unoffered encryption type") { Alter = static reply =>
        reply.UseUnofferedType() };

    /// <summary>Gets a fault: the ticket ended an hour ago.</summary>
    public static KdcFault Expired { get; } = new("expired")
    {
        Alter = static reply => reply.MoveTimes(TimeSpan.FromHours(-11), TimeSpan.FromHours(-1)),
    };

    /// <summary>Gets a fault: the ticket begins in an hour.</summary>
    public static KdcFault NotYetValid { get; } = new("not yet valid")
    {
        Alter = static reply => reply.MoveTimes(TimeSpan.FromHours(1), TimeSpan.FromHours(9)),
    };

    /// <summary>Gets a fault: the ticket is valid for ten years, longer than requested.</summary>
    public static KdcFault TooLongLived { get; } = new("too long-lived")
    {
        Alter = static reply => reply.MoveTimes(TimeSpan.Zero, TimeSpan.FromDays(3653)),
    };

    /// <summary>Gets a fault: the reply has the forwardable flag, and the ticket does not.</summary>
    public static KdcFault FalselyForwardable { get; } = new("falsely forwardable") { Alter = static reply => reply.ClaimForwardable() };

    // ---------------------------------------------------------------- PAC variants

    /// <summary>Gets a fault: the ticket has no PAC, as from Heimdal.</summary>
    public static KdcFault NoPac { get; } = new("no PAC") { Alter = static reply => reply.OmitPac() };

    /// <summary>Creates a fault: the PAC of the ticket has other names, such as hostile ones. Its client name and SID stay.</summary>
    /// <param name="samAccountName">The sAMAccountName: any characters, at most 10,000.</param>
    /// <param name="userPrincipalName">The user principal name: any characters, at most 10,000.</param>
    public static KdcFault PacNames(string samAccountName, string userPrincipalName)
    {
        ArgumentNullException.ThrowIfNull(samAccountName);
        ArgumentNullException.ThrowIfNull(userPrincipalName);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(samAccountName.Length, MaxPacName, nameof(samAccountName));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(userPrincipalName.Length, MaxPacName, nameof(userPrincipalName));
        return new KdcFault("other names in the PAC")
        {
            Alter = reply => reply.ChangePac(pac => pac with { SamName = samAccountName, UserPrincipalName = userPrincipalName }),
        };
    }

    /// <summary>Creates a fault that combines this one and another, this one first.</summary>
    public KdcFault And(KdcFault other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new KdcFault($"{_name}, {other._name}")
        {
            Refuse = other.Refuse ?? Refuse, Alter = Alter + other.Alter, Transport = Transport ?? other.Transport,
            Deliver = (Deliver, other.Deliver) switch
            {
                (null, var second) => second,
                (var first, null) => first,
                var (first, second) => answer => second(first(answer)),
            },
        };
    }

    /// <summary>Returns the name of the fault in the transcript.</summary>
    public override string ToString() => _name;
}
