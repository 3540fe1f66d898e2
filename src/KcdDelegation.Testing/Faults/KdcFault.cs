using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Testing.Errors;
using KcdDelegation.Testing.Exchanges;
using KcdDelegation.Testing.Faults;
using KcdDelegation.Testing.Listening;

namespace KcdDelegation.Testing;

/// <summary>One way in which a KDC, or whoever stands between it and the client, misbehaves. Armed by <see cref="TestRealm.Fail"/>.
/// Immutable, thread-safe, reusable.</summary>
public sealed class KdcFault
{
    private readonly string _name;

    private KdcFault(string name) => _name = name;

    /// <summary>Replaces what the KDC decided; null: leaves it.</summary>
    internal Func<KdcCall, KdcRefusalException>? Refuse { get; private init; }

    /// <summary>Changes a reply before it is encrypted. A fault that has it waits for an exchange that succeeds.</summary>
    internal Action<RogueReply>? Alter { get; private init; }

    /// <summary>Changes the bytes or the way they travel.</summary>
    internal Func<KdcDelivery, KdcDelivery>? Deliver { get; private init; }

    /// <summary>Null: any.</summary>
    internal KdcTransport? Transport { get; private init; }

    // ---------------------------------------------------------------- the way of the answer

    /// <summary>No answer; the connection stays open.</summary>
    public static KdcFault Silent { get; } = new("silent") { Deliver = static answer => answer with { Manner = DeliveryManner.Silent } };

    /// <summary>The connection is closed instead of an answer.</summary>
    public static KdcFault Close { get; } = new("closed") { Deliver = static answer => answer with { Manner = DeliveryManner.Close } };

    /// <summary>The answer comes byte by byte.</summary>
    public static KdcFault Drip { get; } = new("dripping") { Deliver = static answer => answer with { Manner = DeliveryManner.Drip } };

    /// <summary>Random bytes instead of a message.</summary>
    public static KdcFault Garbage { get; } = new("garbage") { Deliver = static answer => answer with { Answer = RandomNumberGenerator.GetBytes(answer.Answer.Length) } };

    /// <summary>KRB_ERR_RESPONSE_TOO_BIG, to requests by datagram only.</summary>
    public static KdcFault TooBigForUdp { get; } = new("too big for UDP")
    {
        Transport = KdcTransport.Udp, Refuse = static _ => new KdcRefusalException(KerberosErrorCode.ResponseTooBig),
    };

    /// <summary>KDC_ERR_SVC_UNAVAILABLE: ask another KDC.</summary>
    public static KdcFault Unavailable { get; } = Error(KerberosErrorCode.ServiceUnavailable);

    /// <summary>The answer comes late.</summary>
    /// <param name="by">Real time, whatever the realm's clock is.</param>
    public static KdcFault Delay(TimeSpan by) => new($"{by.TotalMilliseconds:0} ms late") { Deliver = answer => answer with { Delay = by } };

    /// <summary>The message ends too early, in a frame that fits it.</summary>
    /// <param name="length">Bytes of the message that are left.</param>
    public static KdcFault Truncate(int length) => new($"truncated to {length}")
    {
        Deliver = answer => answer with { Answer = answer.Answer[..Math.Min(length, answer.Answer.Length)] },
    };

    /// <summary>The connection is closed in the middle of the answer.</summary>
    /// <param name="length">Bytes that are sent, the four of the length among them.</param>
    public static KdcFault Interrupt(int length) => new($"interrupted after {length}") { Deliver = answer => answer with { Cut = length } };

    /// <summary>The length before the message is a lie, and the connection stays open.</summary>
    /// <param name="length">As the four bytes say.</param>
    public static KdcFault ClaimLength(uint length) => new($"claims {length} bytes") { Deliver = answer => answer with { ClaimedLength = length } };

    /// <summary>One bit of the answer is another.</summary>
    /// <param name="index">Of the byte, counted from the start; beyond the end: counted again.</param>
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

    /// <summary>A KRB-ERROR instead of the answer.</summary>
    /// <param name="code">Any of RFC 4120 §7.5.9.</param>
    /// <param name="ntStatus">Beside it, as Active Directory sends it (<see cref="KdcKind.Windows"/> only).</param>
    public static KdcFault Error(KerberosErrorCode code, int? ntStatus = null) => new($"error {(int)code}") { Refuse = _ => new KdcRefusalException(code, ntStatus) };

    /// <summary>KRB_AP_ERR_SKEW with a clock that is not the KDC's.</summary>
    /// <param name="ahead">Of the KDC's real clock.</param>
    public static KdcFault ForgedClock(TimeSpan ahead) => new("forged clock")
    {
        Refuse = _ => new KdcRefusalException(KerberosErrorCode.Skew) { ClockError = ahead },
    };

    /// <summary>KDC_ERR_WRONG_REALM that names a realm.</summary>
    /// <param name="realm">Where the client is said to be.</param>
    public static KdcFault ForgedReferral(string realm) => new($"forged referral to {realm}")
    {
        Refuse = _ => new KdcRefusalException(KerberosErrorCode.WrongRealm) { ClientRealm = realm },
    };

    // ---------------------------------------------------------------- rogue replies, encrypted as they should be

    /// <summary>A ticket of another user: reply, signature and ticket agree on the wrong one.</summary>
    /// <param name="user">Name of the other user; need not exist.</param>
    public static KdcFault TicketOfAnotherUser(string user) => new($"ticket of {user}") { Alter = reply => reply.IssueFor(user) };

    /// <summary>Only the name beside the encryption is another user's.</summary>
    /// <param name="user">Name of the other user; need not exist.</param>
    public static KdcFault NameOfAnotherUser(string user) => new($"name of {user}") { Alter = reply => reply.SayOutside(user) };

    /// <summary>The ticket is another user's, while all that can be read beside it is as asked.</summary>
    /// <param name="user">Name of the other user; need not exist.</param>
    public static KdcFault SwappedTicket(string user) => new($"swapped for a ticket of {user}") { Alter = reply => reply.SwapTicket(user) };

    /// <summary>The ticket's PAC is another user's, and nothing else is: to be found out by whoever opens the ticket.</summary>
    /// <param name="user">Name of the other user; need not exist.</param>
    public static KdcFault HiddenUser(string user) => new($"PAC of {user}") { Alter = reply => reply.SwapPac(user) };

    /// <summary>A ticket of the account itself, as a KDC gives that ignores S4U.</summary>
    public static KdcFault OrdinaryTicket { get; } = new("ordinary ticket") { Alter = static reply => reply.BeOrdinary() };

    /// <summary>The signed user (PA-S4U-X509-USER) is left out, as by Heimdal.</summary>
    public static KdcFault NoSignedUser { get; } = new("no signed user") { Alter = static reply => reply.OmitSignedUser() };

    /// <summary>The signature over the user (PA-S4U-X509-USER) is made with another key.</summary>
    public static KdcFault ForgedSignedUser { get; } = new("forged signed user") { Alter = static reply => reply.ForgeSignedUser() };

    /// <summary>The reply has another nonce than the request.</summary>
    public static KdcFault WrongNonce { get; } = new("wrong nonce") { Alter = static reply => reply.ChangePart(part => part with { Nonce = part.Nonce ^ 1 }) };

    /// <summary>Reply and ticket are for another service.</summary>
    /// <param name="service">Such as HTTP/other or krbtgt/EVIL.TEST.</param>
    public static KdcFault WrongService(string service) => new($"for {service}") { Alter = reply => reply.BeFor(service) };

    /// <summary>The ticket is for another service than the reply says.</summary>
    /// <param name="service">Such as HTTP/other.</param>
    public static KdcFault TicketForAnotherService(string service) => new($"ticket for {service}") { Alter = reply => reply.SwapService(service) };

    /// <summary>The reply is encrypted with a key that the client does not have.</summary>
    public static KdcFault WrongReplyKey { get; } = new("wrong reply key") { Alter = static reply => reply.EncryptWithAnotherKey() };

    /// <summary>The ticket holds another session key than the reply.</summary>
    public static KdcFault WrongSessionKey { get; } = new("wrong session key") { Alter = static reply => reply.SwapSessionKey() };

    /// <summary>The session key is of a type that the client did not offer; where it offered all, of the last one.</summary>
    public static KdcFault UnofferedEncryptionType { get; } = new("unoffered encryption type") { Alter = static reply => reply.UseUnofferedType() };

    /// <summary>The ticket ended an hour ago.</summary>
    public static KdcFault Expired { get; } = new("expired") { Alter = static reply => reply.MoveTimes(TimeSpan.FromHours(-11), TimeSpan.FromHours(-1)) };

    /// <summary>The ticket begins in an hour.</summary>
    public static KdcFault NotYetValid { get; } = new("not yet valid") { Alter = static reply => reply.MoveTimes(TimeSpan.FromHours(1), TimeSpan.FromHours(9)) };

    /// <summary>The ticket lives for ten years, which nobody asked for.</summary>
    public static KdcFault TooLongLived { get; } = new("too long-lived") { Alter = static reply => reply.MoveTimes(TimeSpan.Zero, TimeSpan.FromDays(3653)) };

    /// <summary>The reply says that the ticket is forwardable, and the ticket that it is not.</summary>
    public static KdcFault FalselyForwardable { get; } = new("falsely forwardable") { Alter = static reply => reply.PretendForwardable() };

    /// <summary>Both faults at once, this one first.</summary>
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

    /// <summary>As the transcript names it.</summary>
    public override string ToString() => _name;
}
