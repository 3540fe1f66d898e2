using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>Whom an S4U2Self request asks for, by PA-FOR-USER, PA-S4U-X509-USER or both.</summary>
internal sealed record RequestedUser(KdcCall Call, TgsHeader Header, PaForUser? ForUser, PaS4UX509User? X509User)
{
    /// <summary>MS-SFU §3.2.5.1: PA-S4U-X509-USER counts where both are there.</summary>
    public ClientName Client { get; } = X509User is { } user
        ? new ClientName(user.UserId.User ?? throw new KdcRefusalException(KerberosErrorCode.ClientPrincipalUnknown), user.UserId.Realm)
        : new ClientName(ForUser!.User, ForUser.Realm);

    /// <summary>MS-SFU §2.2.1, §2.2.2: each structure is signed with the key that its section names.</summary>
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

    /// <summary>MS-SFU §2.2.2: the reply repeats nonce, name and options, signed with usage 27 if the request set the option for it.</summary>
    public PaData? CreateReply(ClientName name)
    {
        if (X509User is not { } request)
            return null;
        var usage = (request.UserId.Options & S4UUserId.UseReplyKeyUsage) != 0 ? KeyUsage.PaS4UX509UserReply : KeyUsage.PaS4UX509UserRequest;
        return PaS4UX509User.Create(S4UUserId.Create(request.UserId.Nonce, name.Name, name.Realm, request.UserId.Options), Header.ReplyKey, usage).ToPaData();
    }
}
