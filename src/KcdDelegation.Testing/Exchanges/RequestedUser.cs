using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>The user of an S4U2Self request: PA-FOR-USER, PA-S4U-X509-USER or both.</summary>
internal sealed record RequestedUser(KdcCall Call, TgsHeader Header, PaForUser? ForUser, PaS4UX509User? X509User)
{
    /// <summary>MS-SFU §3.2.5.1: PA-S4U-X509-USER takes precedence.</summary>
    public ClientName Client { get; } = X509User is { } user
        ? new ClientName(user.UserId.User ?? throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown), user.UserId.Realm)
        : new ClientName(ForUser!.User, ForUser.Realm);

    /// <summary>Verifies the signatures with the keys that MS-SFU §2.2.1 and §2.2.2 specify.</summary>
    public void Verify()
    {
        if (ForUser is { } forUser && !forUser.IsSignedBy(Header.SessionKey))
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        if (X509User is not { } x509User)
            return;
        if (x509User.UserId.Nonce != Call.Body.Nonce || !x509User.IsSignedBy(Header.ReplyKey, KeyUsage.PaS4UX509UserRequest))
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        if (ForUser is { } other && (!other.User.Equals(Client.Name) || other.Realm != Client.Realm))
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
    }

    /// <summary>Creates the padata of the reply (MS-SFU §2.2.2), which repeats nonce, name and options. It is signed with key usage 27 if
    /// the request has that
    /// option.</summary>
    public PaData? CreateReply(ClientName name)
    {
        if (X509User is not { } request)
            return null;
        var usage = (request.UserId.Options & S4UUserId.UseReplyKeyUsage) != 0
            ? KeyUsage.PaS4UX509UserReply
            : KeyUsage.PaS4UX509UserRequest;
        var user = S4UUserId.Create(request.UserId.Nonce, name.Name, name.Realm, request.UserId.Options);
        return PaS4UX509User.Create(user, Header.ReplyKey, usage).ToPaData();
    }
}
