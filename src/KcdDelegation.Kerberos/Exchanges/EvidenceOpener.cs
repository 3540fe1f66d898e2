using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Opens a ticket that was issued to the delegating account with the account's own key. This is the only cryptographic proof of
/// the ticket's client: the names in a TGS-REP are outside its encryption.</summary>
internal static class EvidenceOpener
{
    /// <exception cref="KerberosException">The ticket's encryption is not implemented (<see
    /// cref="KerberosFailureReason.EncryptionTypeRefused"/>), there is no key for it (<see cref="KerberosFailureReason.KeyUnavailable"/>),
    /// or there is one and it does not open the ticket.</exception>
    public static EncTicketPart Open(ExchangeContext context, Ticket ticket)
    {
        var encrypted = ticket.EncryptedPart;
        if (!EncryptionProfile.TryGet(encrypted.Type, out _))
        {
            // Windows and Samba do so for an account whose msDS-SupportedEncryptionTypes is not set. The setting is the same at every KDC,
            // and no sign of a forged reply.
            throw new KerberosException(new KerberosFailure
            {
                Reason = KerberosFailureReason.EncryptionTypeRefused,
                Detail = $"the KDC encrypts tickets to the account with {encrypted.Type}, which is not implemented, so the ticket's user "
                    + "cannot be verified",
            });
        }
        KerberosException? failure = null;
        var keys = context.Account.Keys.GetTicketKeys(context.Realm, encrypted.Type, encrypted.KeyVersion, context.Logger);
        foreach (var key in keys)
        {
            byte[] plaintext;
            try
            {
                plaintext = encrypted.Decrypt(key, KeyUsage.Ticket);
            }
            catch (KerberosException error)
            {
                failure = error; // another version of the key may open it
                continue;
            }
            try
            {
                return EncTicketPart.Decode(plaintext);
            }
            finally
            {
                CryptographicOperations.ZeroMemory(plaintext);
            }
        }
        if (failure is not null && context.Account.Keys.HasVersion(context.Realm, encrypted.Type, encrypted.KeyVersion))
            throw KerberosException.Rejected("the account's own key does not open the ticket that was issued to the account");
        if (keys.Count == 0)
            throw MissingType(context, encrypted.Type);
        // Not a sign of a forged reply: the keytab is older than the account's key (RFC 4120 §5.2.9: the version says which key it is).
        throw new KerberosException(new KerberosFailure
        {
            Reason = KerberosFailureReason.KeyUnavailable,
            Detail = $"the KDC encrypts tickets to the account with version {encrypted.KeyVersion} of its key ({encrypted.Type}), "
                + context.Account.Keys.MissingVersionReason,
        });
    }

    /// <summary>Creates the exception for a type of which there is no key. A KDC selects the type by the account's keys, and not by what
    /// the client offers (Heimdal). From a password only keys of the offered types are derived.</summary>
    private static KerberosException MissingType(ExchangeContext context, EncryptionType type) => new(new KerberosFailure
    {
        Reason = KerberosFailureReason.KeyUnavailable,
        Detail = $"the KDC encrypts tickets to the account with {type}, and this client has no key of that type; it offers "
            + string.Join(", ", context.EncryptionTypes),
    });
}
