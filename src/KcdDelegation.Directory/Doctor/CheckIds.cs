namespace KcdDelegation.DirectoryServices.Doctor;

/// <summary>The identifiers of the checks.</summary>
internal static class CheckIds
{
    public const string UserToken = "user.token";
    public const string UserAccount = "user.account";
    public const string UserState = "user.state";
    public const string UserDelegation = "user.delegation";
    public const string UserNames = "user.names";
    public const string UserSize = "user.ticket-size";

    public const string KdcNames = "kdc.names";
    public const string KdcTcp = "kdc.tcp";
    public const string KdcUdp = "kdc.udp";
    public const string KdcClock = "kdc.clock";
    public const string KeyFile = "key.file";
    public const string KeyCurrent = "key.current";
    public const string AccountKnown = "account.known";
    public const string AccountState = "account.state";
    public const string AccountKeys = "account.keys";
    public const string AccountLogOn = "account.log-on";
    public const string Directory = "directory.answers";
    public const string AccountForwardable = "account.forwardable";
    public const string AccountSpn = "account.spn";
    public const string AccountEncryptionTypes = "account.encryption-types";
    public const string AccountAnyProtocol = "account.any-protocol";
    public const string AccountPrivileges = "account.privileges";
    public const string AccountTargets = "account.targets";
    public const string Trust = "delegation.trust";
    public const string TargetSpn = "target.spn";
    public const string TargetAccount = "target.account";
    public const string TargetEncryptionTypes = "target.encryption-types";
    public const string DelegationList = "delegation.list";
    public const string Ticket = "delegation.ticket";

    public const string BackendName = "backend.name";
    public const string BackendConnection = "backend.connection";
    public const string BackendCertificate = "backend.certificate";
    public const string BackendProtocol = "backend.protocol";
    public const string BackendOffer = "backend.offer";
    public const string BackendWrongTicket = "backend.wrong-ticket";
    public const string BackendTicket = "backend.ticket";
    public const string BackendHeaderLimit = "backend.header-limit";
    public const string BackendPersistence = "backend.persistence";

    public const string DomainKrbtgt = "domain.krbtgt";
    public const string DomainControllers = "domain.controllers";
    public const string DomainGroups = "domain.group-memberships";
}
