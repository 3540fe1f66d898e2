using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The user of an S4U2Self exchange, as requested from the next KDC.</summary>
/// <param name="Name">The name as sent.</param>
/// <param name="Realm">The user's realm.</param>
/// <param name="SecurityIdentifier">The SID that the user's ticket must have, or null if none is known.</param>
internal sealed record S4UUser(PrincipalName Name, string Realm, string? SecurityIdentifier)
{
    /// <summary>Gets the name that was requested first. The account in a PAC must have this name, whatever name a referral gave.</summary>
    public PrincipalName Requested { get; init; } = Name;

    /// <summary>Gets whether the name is final: it may become the KDC's canonical one on the first hop only (MS-SFU §3.2.5.1.1).</summary>
    private bool IsCanonical { get; init; }

    /// <summary>Creates the padata that name the user. Heimdal knows only PA-FOR-USER; only PA-S4U-X509-USER gets a signed answer. Where
    /// the system refuses MD5, the latter is sent alone.</summary>
    public IEnumerable<PaData> CreatePaData(TgsRequestKeys keys)
    {
        var userId = S4UUserId.Create(keys.Nonce, Name, Realm, S4UUserId.UseReplyKeyUsage);
        return
        [
            .. Md5.IsRefused ? Array.Empty<PaData>() : [PaForUser.Create(Name, Realm, keys.SessionKey).ToPaData()],
            PaS4UX509User.Create(userId, keys.Subkey, KeyUsage.PaS4UX509UserRequest).ToPaData(),
            PaPacOptions.Create(PaPacOptions.Claims | PaPacOptions.ResourceBasedDelegation),
        ];
    }

    /// <summary>Reads the user from a reply's padata (MS-SFU §3.1.5.1.1), signed with the reply key. Returns null if there is
    /// none.</summary>
    public static S4UUserId? ReadSigned(TgsReply reply)
    {
        if (reply.Message.PaData.Find(PaDataType.S4UX509User) is not { } value)
            return null;
        var signed = PaS4UX509User.Decode(value);
        // MS-SFU §2.2.2: usage 27 if the reply's option says so, otherwise 26 as in the request.
        var usage = (signed.UserId.Options & S4UUserId.UseReplyKeyUsage) != 0 ? KeyUsage.PaS4UX509UserReply : KeyUsage.PaS4UX509UserRequest;
        if (!signed.IsSignedBy(reply.Keys.Subkey, usage) && !signed.IsSignedBy(reply.ReplyKey, usage))
            throw KerberosException.Rejected("the checksum over the user in the reply is wrong");
        if (signed.UserId.Nonce != reply.Keys.Nonce)
            throw KerberosException.Rejected("the signed user in the reply has a nonce that differs from the request's");
        if (signed.UserId.User is null)
            throw KerberosException.Rejected("the signed user in the reply has no name");
        return signed.UserId;
    }

    /// <summary>Returns the user that a referral's signature names.</summary>
    public S4UUser AsSignedIn(TgsReply reply)
    {
        if (ReadSigned(reply) is not { } signed)
            return this with { IsCanonical = true };
        if (IsCanonical && (signed.User != Name || !ReplyChecks.SameRealm(signed.Realm, Realm)))
            throw KerberosException.Rejected($"a referral changed the user {Name}@{Realm} to {signed.User}@{signed.Realm}");
        // The checksum proves that the user's own KDC resolved the name so.
        if (!EvidenceChecks.Matches(this, signed.User!, signed.Realm))
            throw EvidenceChecks.ResolvesTo(this, signed.User!, signed.Realm);
        return this with { Name = signed.User!, Realm = signed.Realm, IsCanonical = true };
    }
}
