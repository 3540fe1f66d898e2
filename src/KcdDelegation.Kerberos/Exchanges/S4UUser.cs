using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>The user of an S4U2Self exchange as the next KDC is asked for him.</summary>
/// <param name="Name">As it goes on the wire.</param>
/// <param name="Realm">Where he lives.</param>
/// <param name="SecurityIdentifier">The SID that his ticket must have; null: none is known.</param>
internal sealed record S4UUser(PrincipalName Name, string Realm, string? SecurityIdentifier)
{
    /// <summary>The name may become the KDC's canonical one on the first hop and never later (MS-SFU §3.2.5.1.1).</summary>
    private bool IsCanonical { get; init; }

    /// <summary>Both forms: Heimdal knows only PA-FOR-USER, and only PA-S4U-X509-USER is answered with a signature. Where the system
    /// refuses MD5, the latter goes alone.</summary>
    public IEnumerable<PaData> MakePaData(TgsRequestKeys keys)
    {
        var userId = S4UUserId.Create(keys.Nonce, Name, Realm, S4UUserId.UseReplyKeyUsage);
        return
        [
            .. Md5.IsRefused ? Array.Empty<PaData>() : [PaForUser.Create(Name, Realm, keys.SessionKey).ToPaData()],
            PaS4UX509User.Create(userId, keys.Subkey, KeyUsage.PaS4UX509UserRequest).ToPaData(),
            PaPacOptions.Create(PaPacOptions.Claims | PaPacOptions.ResourceBasedDelegation),
        ];
    }

    /// <summary>MS-SFU §3.1.5.1.1: the padata of a reply names the user, signed with the reply key. Null: there is none.</summary>
    public static S4UUserId? ReadSigned(TgsReply reply)
    {
        if (reply.Message.PaData.Find(PaDataType.S4UX509User) is not { } value)
            return null;
        var signed = PaS4UX509User.Decode(value);
        // MS-SFU §2.2.2: usage 27 if the reply says so, else 26 as in the request.
        var usage = (signed.UserId.Options & S4UUserId.UseReplyKeyUsage) != 0 ? KeyUsage.PaS4UX509UserReply : KeyUsage.PaS4UX509UserRequest;
        if (!signed.IsSignedBy(reply.Keys.Subkey, usage))
            throw KerberosException.Rejected("the signature over the user in the reply is wrong");
        if (signed.UserId.Nonce != reply.Keys.Nonce)
            throw KerberosException.Rejected("the signed user in the reply has another nonce than the request");
        if (signed.UserId.User is null)
            throw KerberosException.Rejected("the signed user in the reply has no name");
        return signed.UserId;
    }

    /// <summary>The user as a referral's signature names him.</summary>
    public S4UUser AsSignedIn(TgsReply reply)
    {
        if (ReadSigned(reply) is not { } signed)
            return this with { IsCanonical = true };
        if (IsCanonical && (signed.User != Name || !ReplyChecks.SameRealm(signed.Realm, Realm)))
            throw KerberosException.Rejected($"a referral turned the user {Name}@{Realm} into {signed.User}@{signed.Realm}");
        if (!EvidenceChecks.Matches(this, signed.User!, signed.Realm))
            throw KerberosException.Rejected($"the KDC answered for {signed.User}@{signed.Realm}, but {Name}@{Realm} was asked for");
        return this with { Name = signed.User!, Realm = signed.Realm, IsCanonical = true };
    }
}
