using System.Collections.Concurrent;
using System.Security.Cryptography;
using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Accounts;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Exchanges;

/// <summary>A verified PA-TGS-REQ: the TGT and the key that encrypts the reply.</summary>
internal sealed record TgsHeader(OpenedTicket Tgt, KerberosKey? Subkey)
{
    public KerberosKey SessionKey => Tgt.Part.Key;

    /// <summary>RFC 4120 §5.4.2: the subkey, if there is one.</summary>
    public KerberosKey ReplyKey => Subkey ?? SessionKey;

    public KeyUsage ReplyUsage => Subkey is null ? KeyUsage.TgsReplySessionKey : KeyUsage.TgsReplySubkey;
}

/// <summary>RFC 4120 §3.3.2, §3.2.3: opens the TGT and checks authenticator, body checksum and replay.</summary>
internal sealed class TgsHeaderReader(RealmState realm)
{
    private const int MaxRemembered = 100_000;

    /// <summary>The hash of the authenticator, and of its request. The same request may be sent again (RFC 4120 §7.2.1); its authenticator
    /// in another request is a replay.</summary>
    private readonly ConcurrentDictionary<string, string> _seen = new(StringComparer.Ordinal);

    public TgsHeader Read(KdcCall call)
    {
        var value = call.Request.PaData.Find(PaDataType.TgsRequest)
            ?? throw new KdcRefusalException(KerberosErrorCode.PaDataTypeNotSupported);
        var request = ApRequest.Decode(value);
        var tgt = OpenTgt(request.Ticket, call.Now);
        var authenticator = Open(request.Authenticator, tgt.Part.Key);
        if (authenticator.ClientRealm != tgt.Client.Realm || !authenticator.Client.Equals(tgt.Client.Name))
            throw new KdcRefusalException(KerberosErrorCode.BadMatch);
        if ((authenticator.Time - call.Now).Duration() > RealmState.MaxSkew)
            throw new KdcRefusalException(KerberosErrorCode.Skew);
        // RFC 4120 §3.3.3: a keyed checksum protects the request's body.
        if (authenticator.Checksum is not { } checksum || checksum.Type != tgt.Part.Key.Profile.ChecksumType)
            throw new KdcRefusalException(KerberosErrorCode.InappropriateChecksum);
        if (!checksum.IsValid(tgt.Part.Key, KeyUsage.TgsRequestBodyChecksum, call.Request.EncodedBody.Span))
            throw new KdcRefusalException(KerberosErrorCode.Modified);
        ThrowIfReplayed(call, request.Authenticator);
        return new TgsHeader(tgt, authenticator.Subkey);
    }

    private OpenedTicket OpenTgt(Ticket ticket, DateTimeOffset now)
    {
        try
        {
            return OpenedTicket.Open(ticket, GetKeys(ticket), now);
        }
        catch (KdcRefusalException refusal) when (refusal.Code == KerberosErrorCode.BadKeyVersion)
        {
            throw KeyNotFound();
        }
    }

    // The answer to a TGT whose krbtgt key was removed. MIT's and Heimdal's are recorded in tests/lab/README.md.
    private KdcRefusalException KeyNotFound() => realm.Kind switch
    {
        KdcKind.Mit => new KdcRefusalException(KerberosErrorCode.Generic) { Text = "PROCESS_TGS" },
        KdcKind.Heimdal => new KdcRefusalException(KerberosErrorCode.BadIntegrity),
        _ => new KdcRefusalException(KerberosErrorCode.BadKeyVersion),
    };

    /// <summary>Returns the keys of krbtgt/OURS for a ticket that this realm or a trusted one issued.</summary>
    private KeyHistory GetKeys(Ticket ticket)
    {
        if (ticket.Service.TicketGrantingRealm is not { } granting || !realm.IsNamed(granting))
            throw new KdcRefusalException(KerberosErrorCode.NotUs);
        if (realm.IsNamed(ticket.Realm))
            return realm.TicketGranting;
        return realm.Trusts.TryGetValue(ticket.Realm, out var trust)
            ? trust.Incoming
            : throw new KdcRefusalException(KerberosErrorCode.NotUs);
    }

    private static Authenticator Open(EncryptedData encrypted, KerberosKey sessionKey)
    {
        try
        {
            return Authenticator.Decode(encrypted.Decrypt(sessionKey, KeyUsage.TgsRequestAuthenticator));
        }
        catch (KerberosException)
        {
            throw new KdcRefusalException(KerberosErrorCode.BadIntegrity);
        }
    }

    private void ThrowIfReplayed(KdcCall call, EncryptedData authenticator)
    {
        if (_seen.Count > MaxRemembered)
            _seen.Clear();
        var request = Hash(call.Request.Encode());
        if (_seen.GetOrAdd(Hash(authenticator.Cipher.Span), request) != request)
            throw new KdcRefusalException(KerberosErrorCode.Repeat);
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexString(SHA256.HashData(bytes));
}
