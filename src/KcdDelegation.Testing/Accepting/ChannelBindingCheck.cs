using KcdDelegation.Kerberos;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;
using KcdDelegation.Testing.Errors;

namespace KcdDelegation.Testing.Accepting;

/// <summary>RFC 4121 §4.1.1.2 and MS-KILE §3.2.5.8: checks that a token is bound to the channel it was received on.</summary>
internal static class ChannelBindingCheck
{
    /// <summary>MS-KILE §3.2.5.8: KERB_AP_OPTIONS in the authenticator's authorization data, with KERB_AP_OPTIONS_CBT.</summary>
    private const int ApOptions = 143;

    private const int ChannelBindingToken = 0x4000;

    /// <summary>Returns whether the token is bound to the channel.</summary>
    /// <exception cref="KdcRefusalException">The token is bound to another channel, or to none although binding is required.</exception>
    public static bool Verify(Authenticator authenticator, ReadOnlySpan<byte> channel, TestChannelBinding policy)
    {
        // RFC 4121 §4.1.1: a GSS token has the checksum 0x8003, with at least length, binding and flags.
        if (authenticator.Checksum is not { Type: ChecksumType.Gss, Value.Length: >= GssChecksum.Length } checksum)
            throw new KdcRefusalException(KerberosErrorCode.InappropriateChecksum);
        if (channel.IsEmpty)
            return false;
        var sent = checksum.Value.Span.Slice(4, 16);
        if (sent.IndexOfAnyExcept((byte)0) < 0)
        {
            var isRequired = policy == TestChannelBinding.Required || SupportsBinding(authenticator);
            return isRequired ? throw new KdcRefusalException(KerberosErrorCode.BadMatch) : false;
        }
        Span<byte> expected = stackalloc byte[16];
        GssChecksum.Bind(channel, expected);
        return sent.SequenceEqual(expected) ? true : throw new KdcRefusalException(KerberosErrorCode.BadMatch);
    }

    private static bool SupportsBinding(Authenticator authenticator) => authenticator.AuthorizationData
        .Where(entry => entry.Type == AuthorizationDataEntry.IfRelevant)
        .SelectMany(entry => AuthorizationDataEntry.DecodeList(entry.Data))
        .Any(entry => entry is { Type: ApOptions, Data.Length: 4 } && (BitConverter.ToInt32(entry.Data.Span) & ChannelBindingToken) != 0);
}
