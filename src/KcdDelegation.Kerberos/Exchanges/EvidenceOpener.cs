using System.Security.Cryptography;
using KcdDelegation.Kerberos.Crypto;
using KcdDelegation.Kerberos.Messages;

namespace KcdDelegation.Kerberos.Exchanges;

/// <summary>Opens a ticket that was issued to the delegating account, with the account's own key: the only cryptographic proof of
/// whose ticket it is, since the names in a TGS-REP stand outside its encryption.</summary>
internal static class EvidenceOpener
{
    /// <summary>Null if the account has no key of the ticket's type and version (a password whose salt for the type is not known, or
    /// a keytab that is older than the account's newest key).</summary>
    /// <exception cref="KerberosException">There is a key for it, and it does not open the ticket.</exception>
    public static EncTicketPart? Open(ExchangeContext context, Ticket ticket)
    {
        var encrypted = ticket.EncryptedPart;
        if (!EncryptionProfile.TryGet(encrypted.Type, out _))
            return null;
        KerberosException? failure = null;
        foreach (var key in context.Account.Keys.GetTicketKeys(context.Realm, encrypted.Type, encrypted.KeyVersion, context.Logger))
        {
            byte[] plaintext;
            try
            {
                plaintext = encrypted.Decrypt(key, KeyUsage.Ticket);
            }
            catch (KerberosException error)
            {
                failure = error; // another version of the key may be the right one
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
        if (failure is null)
            return null;
        if (context.Account.Keys.HasVersion(context.Realm, encrypted.Type, encrypted.KeyVersion))
            throw KerberosException.Rejected("the account's own key does not open the ticket that was issued to the account");
        // No reason to suspect the KDC: the keytab is older than the account's key (RFC 4120 §5.2.9: the version says which key it is).
        throw new KerberosException(new KerberosFailure
        {
            Reason = KerberosFailureReason.KeyUnavailable,
            Detail = $"the KDC encrypts tickets to the account with version {encrypted.KeyVersion} of its key, which the keytab does not have",
        });
    }
}
