using KcdDelegation.Kerberos;
using static KcdDelegation.Diagnosis.KcdEventId;
using static KcdDelegation.Kerberos.KerberosErrorCode;
using static KcdDelegation.Kerberos.KerberosFailureReason;

namespace KcdDelegation.Diagnosis;

/// <summary>From an error of the engine to its likely cause and the remedy. The first row that matches speaks, so narrow ones stand first.
/// KDC errors are unauthenticated (RFC 4120 §5.9.1): they are explained, and nothing else is decided by them.</summary>
internal static class ErrorCatalogue
{
    // Whose fault a code is depends on whom the exchange was about.
    private static readonly KerberosExchange[] LoggingOn =
        [KerberosExchange.LogOn, KerberosExchange.Configuration, KerberosExchange.KdcLookup];

    private static readonly KerberosExchange[] FindingUser = [KerberosExchange.S4U2Self, KerberosExchange.RealmDiscovery];
    private static readonly KerberosExchange[] Target = [KerberosExchange.MutualAuthentication];

    public static IReadOnlyList<CatalogueRow> Rows { get; } =
    [
        // ---- What the engine found out by itself.
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.User} cannot be delegated by {n.Account}: the ticket from S4U2Self is not forwardable, since "
                + "the user is protected from delegation or the account may not use protocol transition",
            Remedies.AllowTransition) { Reason = EvidenceNotForwardable },
        new(KcdStage.Delegation, NoCredentials,
            n => $"no KDC of {n.Realm} is known",
            Remedies.Network) { Reason = KdcNotFound },
        new(KcdStage.Delegation, NoCredentials,
            n => $"no KDC of {n.Realm} can be reached, or none answers in time",
            Remedies.Network) { Reason = KdcUnreachable },
        new(KcdStage.Delegation, NoCredentials,
            n => $"there is no usable key for {n.Account}: the keytab or password file is missing, unreadable, or has "
                + "no AES key of this name",
            Remedies.NewKeytab) { Reason = KeyUnavailable },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC rejected the key of {n.Account} a moment ago, and it is not tried again before it changes, "
                + "so that the account is not locked out",
            Remedies.NewKeytab) { Reason = KeyRejected },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC has no AES key for {n.Account}, or chose a type that is not allowed; RC4 is not implemented",
            n => Remedies.EnableAes(n.AccountQuoted)) { Reason = EncryptionTypeRefused },
        new(KcdStage.Identity, NoTicket,
            n => $"the ticket names another account than {n.User}, or the delegating account itself",
            n => "Two accounts share this name, as UPN of one and sAMAccountName of the other, or with and without "
                + $"$: {Remedies.UserLookup(n)}") { Reason = IdentityMismatch },
        new(KcdStage.Delegation, NoTicket,
            _ => "too many requests wait for the KDCs",
            n => $"Try again; if it goes on, look why the KDCs of {n.Realm} are slow, or add one under Kcd:Kdcs.")
        { Reason = Overloaded },
        new(KcdStage.Target, NoTicket,
            n => $"{n.Service} could not prove that it holds its key",
            n => "Treat it as an impostor until it is explained. See whether the account that runs the backend holds the SPN "
                + $"(setspn -Q {n.ServiceQuoted}), or whether something on the way answers in its place.")
        { Reason = ReplyRejected, In = Target },
        new(KcdStage.Delegation, NoTicket,
            n => $"a reply in the name of the KDC of {n.Realm} failed its checks, so it was not believed",
            n => "Look whether something between this machine and the KDCs changes traffic on port 88, and whether "
                + $"all controllers are patched alike. {Remedies.TrySupport(n)}") { Reason = ReplyRejected },
        new(KcdStage.Identity, NoTicket,
            n => $"the ticket that was presented to {n.Account} was refused",
            n => "Get a new ticket to the account. If it goes on, its keytab is not the one of its present password: "
                + $"{Remedies.NewKeytab(n)}") { Reason = TokenRejected },

        // ---- The backend's own KRB-ERROR.
        new(KcdStage.Target, TicketRefused,
            n => $"{n.Service} cannot open the ticket: the account that runs the backend is not the one that holds "
                + "the SPN, or its key is old",
            n => $"Move the SPN to the account that runs the backend (setspn -Q {n.ServiceQuoted}; IIS: useAppPoolCredentials), "
                + "or renew its keytab, and purge its tickets (klist purge).") { Code = Modified, In = Target },
        new(KcdStage.Target, TicketRefused,
            n => $"{n.Service} sees another time than the KDC",
            Remedies.Clocks) { Code = Skew, In = Target },
        new(KcdStage.Target, TicketRefused,
            n => $"{n.Service} answered with a Kerberos error",
            n => $"Look into the log of the backend, and which account holds its SPN: setspn -Q {n.ServiceQuoted}.")
        { Reason = KdcError, In = Target },

        // ---- 13: the right to delegate, told apart by the NTSTATUS.
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Service} is neither on the delegation list of {n.Account} nor does it trust {n.Account} to delegate",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotFound },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Account} has no delegation list at all",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NotSupported },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Service} is not on the delegation list of {n.Account}",
            Remedies.AllowDelegation) { Code = BadOption, NtStatus = NtStatusNames.NoMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.User} is protected from delegation, or {n.Account} may not use protocol transition",
            Remedies.AllowTransition) { Code = BadOption, NtStatus = NtStatusNames.AccountRestriction },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Service} is in another domain, where the delegation list of {n.Account} does not reach",
            n => "Across domains, " + Remedies.AllowOnTarget(n))
        { Code = BadOption, NtStatus = NtStatusNames.CrossRealmDelegationFailure },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not let {n.Account} act as {n.User}",
            Remedies.AllowTransition) { Code = BadOption, In = FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC does not let {n.Account} delegate {n.User} to {n.Service}, and does not say why",
            n => $"Look at two things. First the transition: {Remedies.AllowTransition(n)} Then the list: {Remedies.AllowDelegation(n)}")
        { Code = BadOption },

        // ---- Names.
        new(KcdStage.Delegation, NoCredentials,
            n => $"{n.Realm} has no account {n.Account}",
            n => "Write the sAMAccountName (computers with $) in Kcd:ServiceAccount:Name and the account's realm in "
                + $"Kcd:Realm: Get-{n.AccountCmdlet} {n.AccountQuoted} -Server {n.RealmDns}.")
        { Code = ClientPrincipalUnknown, In = LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"{n.Realm} has no user {n.User}",
            Remedies.UserLookup) { Code = ClientPrincipalUnknown },
        new(KcdStage.Delegation, NoCredentials,
            n => $"{n.Realm} is not the realm that this KDC serves",
            _ => "Write the domain's DNS name in capitals in Kcd:Realm, and KDCs of that domain in Kcd:Kdcs.")
        { Code = ServicePrincipalUnknown, In = LoggingOn },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Account} is not known as a service, so no ticket to it can be made",
            n => $"Give the account a service principal name: setspn -S HTTP/GATEWAY-HOST {n.AccountQuoted}.")
        { Code = ServicePrincipalUnknown, In = FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"the SPN {n.Service} is registered on no account",
            Remedies.FindService) { Code = ServicePrincipalUnknown },
        new(KcdStage.Delegation, NoTicket,
            n => $"two accounts have the name: the SPN {n.Service}, or the UPN of {n.User}",
            n => $"Find the doubles and remove one: setspn -X -F; setspn -Q {n.ServiceQuoted}; {n.GetUser}.")
        { Code = PrincipalNotUnique },
        new(KcdStage.Delegation, NoTicket,
            n => $"the referrals for {n.User} lead nowhere",
            n => "Check the routing of the UPN suffix over the trusts (netdom trust, name suffix routing), or list "
                + "the suffix under Kcd:Realms:REALM:UserPrincipalSuffixes.") { Code = WrongRealm },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC takes {n.Account} for another service than itself",
            n => $"Give the account a service principal name (setspn -L {n.AccountQuoted} lists them), and write its "
                + "sAMAccountName in Kcd:ServiceAccount:Name.") { Code = BadMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"the evidence ticket belongs to another account than {n.Account}",
            _ => "Present a ticket to the delegating account itself, not to another of the host's accounts.") { Code = ServerNoMatch },
        new(KcdStage.Delegation, NoTicket,
            n => $"{n.Account} has no SPN, so the KDC wants user-to-user tickets",
            n => $"Give the account one: setspn -S HTTP/GATEWAY-HOST {n.AccountQuoted}.") { Code = MustUseUserToUser },

        // ---- The state of accounts.
        new(KcdStage.Delegation, NoCredentials,
            n => $"{n.Account} has expired",
            n => $"Extend it: Set-ADAccountExpiration or Clear-ADAccountExpiration -Identity {n.AccountQuoted}.")
        { Code = ClientExpired, In = LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} has expired",
            n => $"Extend it if that is wrong: {n.GetUser} | Clear-ADAccountExpiration.") { Code = ClientExpired },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is disabled",
            n => $"Enable it if that is wrong: {n.GetUser} | Enable-ADAccount.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.AccountDisabled, In = FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is locked out",
            n => $"Unlock it: {n.GetUser} | Unlock-ADAccount.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.AccountLockedOut, In = FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} has expired",
            n => $"Extend it if that is wrong: {n.GetUser} | Clear-ADAccountExpiration.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.AccountExpired, In = FindingUser },
        new(KcdStage.Identity, NoTicket,
            n => $"{n.User} may not log on at this hour",
            n => $"Change the logon hours if that is wrong: {n.GetUser} -Properties LogonHours.")
        { Code = ClientRevoked, NtStatus = NtStatusNames.InvalidLogonHours, In = FindingUser },
        new(KcdStage.Delegation, NoCredentials,
            n => $"{n.Account} is disabled, locked out or expired",
            n => $"Look: Get-{n.AccountCmdlet} {n.AccountQuoted} -Properties Enabled, LockedOut, AccountExpirationDate; "
                + "then Enable-ADAccount or Unlock-ADAccount.") { Code = ClientRevoked, In = LoggingOn },
        new(KcdStage.Identity, NoTicket,
            n => $"the account of {n.User} is disabled, locked out or expired",
            n => $"Look: {n.GetUser} -Properties Enabled, LockedOut, AccountExpirationDate.") { Code = ClientRevoked },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the password of {n.Account} has expired or must be changed",
            n => "Reset it and export the keytab again, or use a group managed service account, whose password changes "
                + $"by itself. {Remedies.NewKeytab(n)}") { Code = KeyExpired },
        new(KcdStage.Delegation, NoTicket,
            n => $"an account has no key in {n.Realm}",
            n => $"Reset the password of {n.Account}, and of the account that runs {n.Service}.") { Code = NullKey },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC rejects the key of {n.Account}: the keytab or password is wrong or old",
            Remedies.NewKeytab) { Code = PreAuthenticationFailed },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the KDC wants a pre-authentication that {n.Account} has no key for, or armoring only",
            n => $"{Remedies.EnableAes(n.AccountQuoted)} Or relax the policy that demands Kerberos armoring (FAST) of this account.")
        { Code = PreAuthenticationRequired },

        // ---- Policy, trusts, capabilities.
        new(KcdStage.Delegation, NoTicket,
            n => $"a trust with selective authentication keeps {n.Account} out of {n.Realm}",
            n => $"Grant {n.Account} \"Allowed to authenticate\" on the account that runs {n.Service}.")
        { Code = Policy, NtStatus = NtStatusNames.AuthenticationFirewallFailed },
        new(KcdStage.Identity, NoTicket,
            n => $"the KDC of {n.Realm} may not issue tickets for {n.User}: a user of another realm, a disabled account, "
                + "or an authentication policy silo",
            n => $"{Remedies.UserLookup(n)} Then look at authentication policies and silos.") { Code = Policy, In = FindingUser },
        new(KcdStage.Delegation, NoTicket,
            n => $"a policy of {n.Realm} forbids the ticket to {n.Service}",
            n => $"Look at authentication policies and silos, and at the trust between the realms. {Remedies.TrySupport(n)}")
        { Code = Policy },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDCs do not accept the way between the realms of {n.Account} and {n.Service}",
            _ => "Make the trust transitive (forest trust), or write the path into capaths of the KDC's krb5.conf.")
        { Code = PathNotAccepted },
        new(KcdStage.Delegation, NoCredentials,
            n => $"{n.Account} has no encryption type in common with the KDC; RC4 is not implemented",
            n => Remedies.EnableAes(n.AccountQuoted)) { Code = EncryptionTypeNotSupported, In = LoggingOn },
        new(KcdStage.Delegation, NoTicket,
            n => $"the account that runs {n.Service} has no AES key",
            n => $"setspn -Q {n.ServiceQuoted} names it. {Remedies.EnableAes("TARGET")}") { Code = EncryptionTypeNotSupported },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} does not know S4U or resource-based delegation",
            _ => "Use controllers of Windows Server 2012 R2 or later, Samba 4.19 or later, or MIT krb5 with an LDAP database.")
        { Code = PaDataTypeNotSupported },

        // ---- Tickets, keys, clocks.
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC no longer accepts the tickets of {n.Account}: the account was changed, or its ticket has no PAC",
            n => $"New tickets were asked for already; look whether {n.Account} was changed, and whether the controllers "
                + "replicate (repadmin /replsummary).") { Code = TgtRevoked },
        new(KcdStage.Delegation, NoTicket,
            n => $"a key does not fit: the keytab of {n.Account} is old, or {n.Service} lives in another realm than the one asked",
            n => $"{Remedies.NewKeytab(n)} For a service of another realm write HTTP/host@REALM.") { Code = BadIntegrity },
        new(KcdStage.Delegation, NoTicket,
            _ => "a ticket has expired on the way",
            Remedies.Clocks) { Code = TicketExpired },
        new(KcdStage.Delegation, NoTicket,
            _ => "a ticket is not valid yet",
            Remedies.Clocks) { Code = TicketNotYetValid },
        new(KcdStage.Delegation, NoTicket,
            n => $"the clocks of this machine and of {n.Realm} differ by too much",
            Remedies.Clocks) { Code = Skew },
        new(KcdStage.Delegation, NoTicket,
            _ => "the KDC takes the request for a repetition",
            _ => "Look for a device that sends packets twice, and for cloned machines with one account.") { Code = Repeat },
        new(KcdStage.Delegation, NoTicket,
            n => $"a ticket was sent to a KDC or service that it is not for, as seen from {n.Realm}",
            n => $"See that the SPN is on one account only: setspn -X; setspn -Q {n.ServiceQuoted}.") { Code = NotUs },
        new(KcdStage.Delegation, NoTicket,
            n => $"the evidence for {n.User} fails the KDC's check: another key or PAC signature than the KDC's own",
            n => $"Patch all controllers alike (PAC signatures), see that the SPN {n.ServiceQuoted} is on one account "
                + $"only (setspn -X), and renew the keytab of {n.Account}.") { Code = Modified },
        new(KcdStage.Delegation, NoCredentials,
            n => $"the keytab of {n.Account} is older than its password",
            Remedies.NewKeytab) { Code = BadKeyVersion },
        new(KcdStage.Delegation, NoCredentials,
            n => $"there is no key of the version that the ticket names, for {n.Account}",
            Remedies.NewKeytab) { Code = NoKey },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} does not accept the checksum of the request",
            Remedies.TrySupport) { Code = InappropriateChecksum },
        new(KcdStage.Delegation, NoTicket,
            n => $"the answer does not fit into a datagram, and TCP port 88 of {n.Realm} is closed",
            Remedies.Network) { Code = ResponseTooBig },
        new(KcdStage.Delegation, NoCredentials,
            n => $"a KDC of {n.Realm} has a fault, and no other one answers",
            Remedies.TrySupport) { Code = KerberosErrorCode.ServiceUnavailable },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} failed without giving a reason",
            Remedies.TrySupport) { Code = Generic },
        new(KcdStage.Delegation, NoTicket,
            n => $"the KDC of {n.Realm} refused for a reason that is not in this table",
            Remedies.TrySupport),
    ];

    public static KcdFailure Explain(KerberosException error)
    {
        var names = new ErrorNames(error);
        var row = Rows.First(row => row.Matches(error));
        var status = error.NtStatus is { } code ? $", {NtStatusNames.Of(code)}" : "";
        var cause = row.Cause(names);
        var sentence = $"{char.ToUpperInvariant(cause[0])}{cause[1..]}. [{PrintableText.Of(error.Message)}{status}]";
        return new KcdFailure(row.Stage, row.EventId, sentence, row.Remedy(names)) { IsTransient = error.IsTransient };
    }
}
